import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import { same } from '../../../model/same.ts';
import { own } from '../yaml.ts';
import {
  type AgentConfigMap,
  FILE,
  GENERATED,
  HAND_WRITTEN,
  type HolmesFile,
  REJECTED,
} from './agent-file.ts';
import { mergeForAgent } from './merge.ts';
import type { VersionTexts } from './version-line.ts';
import { withdrawnSince } from './withdrawn.ts';

const holmes: HolmesFile = {
  write: (document) => stringify(document, { compat: 'yaml-1.1', aliasDuplicateObjects: false }),
  fault: (document) => (Object.keys(document).length === 0 ? 'it has no toolset' : undefined),
  join: (generated, handWritten) => ({ document: mergePatch(generated, handWritten) as Mapping, notes: [] }),
  withoutDuplicates: (document) => ({ document, notes: [] }),
  learn: (patch) => patch,
};

const GEN =
  'toolsets:\n  prom:\n    enabled: true\n    config:\n      url: http://a\n  core:\n    enabled: true\n';
const HELM = '# from values\ntoolsets:\n  internet: { enabled: yes }\n  prom:\n    config: { timeout: 60 }\n';

const fresh = (file?: string): AgentConfigMap => ({
  data: { 'model_list.yaml': 'm: 1\n', ...(file === undefined ? {} : { [FILE]: file }) },
  annotations: { theirs: 'x' },
});

/** What is there after the merge was carried out. */
function carried(generated: string, live: AgentConfigMap): AgentConfigMap {
  const merge = mergeForAgent(generated, live, holmes);
  if (merge.kind === 'refused') throw new Error(merge.what);
  if (merge.kind === 'none') return live;
  return {
    data: { ...live.data, ...merge.data },
    annotations: { ...live.annotations, ...merge.annotations },
  };
}
const withFile = (live: AgentConfigMap, file: string): AgentConfigMap => ({
  ...live,
  data: { ...live.data, [FILE]: file },
});
/** A text without its version. */
const unversioned = (text = ''): string => text.replace(/^# Version.*\n/m, '');
/** The data with a file without its version. */
const unversionedIn = ({ data }: AgentConfigMap) => ({ ...data, [FILE]: unversioned(data[FILE]) });
const fileOf = (live: AgentConfigMap): unknown => parse(live.data[FILE] ?? '', { version: '1.1' });
const refusal = (generated: string, live: AgentConfigMap) => {
  const merge = mergeForAgent(generated, live, holmes);
  if (merge.kind !== 'refused') throw new Error(`not refused: ${merge.kind}`);
  return `${merge.what}; ${merge.fix}`;
};

describe('the first merge', () => {
  test('keeps the existing text literally, which wins field by field', () => {
    const live = carried(GEN, fresh(HELM));
    expect(live.data[HAND_WRITTEN]).toBe(HELM);
    expect(live.data[GENERATED]).toBe(GEN);
    expect(fileOf(live)).toEqual({
      toolsets: {
        prom: { enabled: true, config: { url: 'http://a', timeout: 60 } },
        core: { enabled: true },
        internet: { enabled: true },
      },
    });
    expect(mergeForAgent(GEN, live, holmes).kind).toBe('none');
  });

  test.each([undefined, '', '\n', '# nothing\n', 'toolsets:\n', 'toolsets: {}\nmcp_servers: {}\n'])(
    '%j counts as empty: the file is the generated one',
    (file) => {
      const live = carried(GEN, fresh(file));
      expect(fileOf(live)).toEqual(parse(GEN));
      expect(live.data[HAND_WRITTEN]).toBe(file ?? '');
    },
  );

  test('keys that HolmesGPT ignores stay in the kept text only, and anchors work', () => {
    const text = 'x: &on {enabled: true}\ntoolsets:\n  mine: *on\n  merged: {<<: *on, a: 1}\n';
    const live = carried(GEN, fresh(text));
    expect(live.data[HAND_WRITTEN]).toBe(text);
    expect(fileOf(live)).toMatchObject({
      toolsets: { mine: { enabled: true }, merged: { enabled: true, a: 1 } },
    });
    expect(fileOf(live)).not.toHaveProperty('x');
  });

  test.each([
    [
      'a text that YAML 1.1 would take for another kind',
      'a: "yes"\n    b: "1:30"\n    c: 2024-01-01',
      { a: 'yes', b: '1:30', c: '2024-01-01' },
    ],
    ['a key that every object has', 'constructor: 1\n    toString: 2', { constructor: 1, toString: 2 }],
  ])('%s stays the same', (_, fields, value) => {
    const live = carried(GEN, fresh(`toolsets:\n  mine:\n    ${fields}\n`));
    expect(fileOf(live)).toMatchObject({ toolsets: { mine: value } });
  });
});

describe('later merges', () => {
  const first = carried(GEN, fresh(HELM));

  test('another URL is generated: it is updated, and the hand-written rest stays', () => {
    const live = carried(GEN.replace('http://a', 'http://b'), first);
    expect(fileOf(live)).toMatchObject({
      toolsets: { prom: { config: { url: 'http://b', timeout: 60 } }, internet: {} },
    });
    expect(live.data[HAND_WRITTEN]).toBe(HELM);
  });

  test('Helm renders the same again: the same file is restored, as another state', () => {
    const again = mergeForAgent(GEN, withFile(first, HELM), holmes);
    const before = mergeForAgent(GEN, first, holmes);
    if (again.kind !== 'write' || before.kind !== 'none') throw new Error('not written');
    expect(unversioned(again.data[FILE])).toBe(unversioned(first.data[FILE]));
    expect(again.data[HAND_WRITTEN]).toBe(HELM);
    expect(again.token).not.toBe(before.token);
  });

  test('Helm renders something else: removed entries are gone, added ones are there', () => {
    const next = '# new values\ntoolsets:\n  slab: {enabled: true}\n';
    const live = carried(GEN, withFile(first, next));
    expect(live.data[HAND_WRITTEN]).toBe(next);
    expect(fileOf(live)).toEqual(mergePatch(parse(GEN), parse(next)));
  });

  test('one field is edited: only that one becomes hand-written', () => {
    const text = (first.data[FILE] ?? '').replace('timeout: 60', 'timeout: 90');
    const merge = mergeForAgent(GEN, withFile(first, text), holmes);
    expect(merge).toMatchObject({ kind: 'write', learned: ['toolsets prom'] });
    const live = carried(GEN.replace('http://a', 'http://c'), withFile(first, text));
    expect(fileOf(live)).toMatchObject({ toolsets: { prom: { config: { url: 'http://c', timeout: 90 } } } });
    expect(live.data[HAND_WRITTEN]).toBe(HELM.replace('60', '90'));
  });

  test('a generated entry is deleted: it stays deleted', () => {
    const text = (first.data[FILE] ?? '').replace('  core:\n    enabled: true\n', '');
    const live = carried(GEN, withFile(first, text));
    expect(fileOf(live)).not.toHaveProperty('toolsets.core');
    expect(parse(live.data[HAND_WRITTEN] ?? '')).toMatchObject({ toolsets: { core: null } });
    expect(live.data[HAND_WRITTEN]).toContain('# from values');
  });

  test('a tool that drops comments wrote the file: unchanged generated parts stay generated', () => {
    const document = fileOf(first) as { toolsets: Record<string, unknown> };
    const text = stringify({ toolsets: { ...document.toolsets, extra: { enabled: true } } });
    const live = carried(GEN.replace('http://a', 'http://d'), withFile(first, text));
    expect(fileOf(live)).toMatchObject({
      toolsets: { prom: { config: { url: 'http://d', timeout: 60 } }, extra: { enabled: true } },
    });
    expect(parse(live.data[HAND_WRITTEN] ?? '').toolsets).not.toHaveProperty('core');
  });

  test('the kept text may be edited too', () => {
    const live = carried(GEN, {
      ...first,
      data: { ...first.data, [HAND_WRITTEN]: 'toolsets: {core: {enabled: false}}\n' },
    });
    expect(fileOf(live)).toEqual(mergePatch(parse(GEN), { toolsets: { core: { enabled: false } } }));
  });

  test('the kept text was deleted: it is restored from the file', () => {
    const { [HAND_WRITTEN]: _, ...data } = first.data;
    const live = carried(GEN, { ...first, data });
    expect(fileOf(live)).toEqual(fileOf(first));
  });

  test.each(['', '  \n'])('a file that became %j is written again', (text) => {
    expect(unversionedIn(carried(GEN, withFile(first, text)))).toEqual(unversionedIn(first));
  });
});

describe('rejected, and nothing is written', () => {
  const first = carried(GEN, fresh(HELM));
  test.each([
    [
      'broken YAML',
      fresh('toolsets: [\n'),
      /custom_toolset\.yaml cannot be read.*the key was not changed; fix the error/,
    ],
    ['a list', fresh('- a\n'), /not a mapping/],
    ['a key twice', fresh('toolsets: {}\ntoolsets: {}\n'), /duplicate key; remove one/],
    [
      'a bomb of aliases',
      fresh(`a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]\n`),
      /alias/i,
    ],
    ['a number that cannot be kept', fresh('toolsets: {a: {id: 12345678901234567890}}\n'), /quotes/],
    [
      'broken YAML in the kept text',
      { ...first, data: { ...first.data, [HAND_WRITTEN]: ': [' } },
      /person\.yaml cannot be read/,
    ],
    [
      'hand-written content that removes everything',
      fresh('toolsets: {core: null, prom: null}\n'),
      /no toolset.*fix the error in custom_toolset\.yaml/,
    ],
    ['too much', fresh(`# ${'x'.repeat(1000 * 1024)}\n`), /KiB.*most/],
  ])('%s', (_, live, message) => {
    expect(refusal(GEN, live)).toMatch(message);
  });
});

describe('the room for the generated text', () => {
  /** A text of about this many bytes. */
  const generatedOf = (bytes: number): string =>
    stringify({ toolsets: { core: { enabled: true }, prom: { config: { url: 'x'.repeat(bytes - 90) } } } });
  const personOf = (kib: number): string =>
    `toolsets: { mine: { description: "${'y'.repeat(kib * 1024)}" } }\n`;

  test.each([0, 65, 200, 400])('is what people leave, who wrote %i KiB: one as large as it fits', (kib) => {
    const live = fresh(kib === 0 ? undefined : personOf(kib));
    const refused = mergeForAgent(generatedOf(460 * 1024), live, holmes);
    if (refused.kind !== 'refused' || refused.room === undefined) throw new Error('not refused for its size');
    expect(refused.what).toMatch(/^all keys together would have \d+ KiB, .* until tools are left out$/);
    const written = mergeForAgent(generatedOf(refused.room), live, holmes);
    expect(written).toMatchObject({ kind: 'write', room: refused.room });
    expect(refused.room).toBeGreaterThan((900 / 2 - kib - 16) * 1024);
  });

  test('is smaller while an edit that was not applied is kept', () => {
    const first = carried(generatedOf(430 * 1024), fresh());
    const edit = `${first.data[FILE]?.replace(/# Version.*\n/, '')}  mine:\n    enabled: true\n`;
    const live = withFile(first, edit);
    const refused = mergeForAgent(generatedOf(430 * 1024), live, holmes);
    if (refused.kind !== 'refused' || refused.room === undefined) throw new Error('not refused for its size');
    expect(refused.room).toBeGreaterThan(200 * 1024);
    const written = mergeForAgent(generatedOf(refused.room), live, holmes);
    if (written.kind !== 'write') throw new Error(written.kind);
    expect(written.data[written.rejected ?? '']).toBe(edit);
    const kept = { ...live, ...written };
    expect(mergeForAgent(generatedOf(430 * 1024), kept, holmes)).toMatchObject({
      kind: 'refused',
      room: refused.room,
    });
  });

  test('is too small if people wrote too much, which the message says', () => {
    expect(refusal(GEN, fresh(personOf(460)))).toMatch(
      /what people wrote in custom_toolset\.yaml has 461 KiB and is stored twice, and other keys have 1 KiB; the file was not changed, so what you withdraw stays in force; shorten these texts$/,
    );
  });
});

describe('an edit that began with an earlier version', () => {
  const first = carried(GEN, fresh(HELM));
  const known = { generated: GEN, handWritten: HELM };
  const later = `${GEN.replace('http://a', 'http://b').replace('  core:\n    enabled: true\n', '')}  added:\n    enabled: true\n`;
  const now = carried(later, first);
  const outdated = withFile(now, `${first.data[FILE]}  bash:\n    enabled: false\n`);
  const merged = (live: AgentConfigMap, texts?: VersionTexts) => {
    const merge = mergeForAgent(later, live, holmes, [], texts && { known: texts });
    if (merge.kind !== 'write') throw new Error(merge.kind);
    return merge;
  };

  test('adds only what the person changed, and keeps what was generated meanwhile', () => {
    const { data, learned, change } = merged(outdated, known);
    expect(data[HAND_WRITTEN]).toBe(`${HELM}  bash:\n    enabled: false\n`);
    expect(learned).toEqual(['toolsets bash']);
    expect(change).toEqual({ kind: 'edited', lost: [] });
    expect(parse(data[FILE] ?? '').toolsets).toEqual({
      prom: { enabled: true, config: { url: 'http://b', timeout: 60 } },
      internet: { enabled: true },
      added: { enabled: true },
      bash: { enabled: false },
    });
  });

  test('and that the hand-written text changed after keeps both changes', () => {
    const person = HELM.replace('60', '90').replace('# from values', '# mine');
    const both = { ...outdated, data: { ...outdated.data, [HAND_WRITTEN]: person } };
    expect(merged(both, known).data[HAND_WRITTEN]).toBe(`${person}  bash:\n    enabled: false\n`);
  });

  test('of an entry of the hand-written text that was removed meanwhile is not applied, and is kept', () => {
    const edit = withFile(now, (first.data[FILE] ?? '').replace('timeout: 60', 'timeout: 90'));
    const removed = {
      ...edit,
      data: { ...edit.data, [HAND_WRITTEN]: 'toolsets:\n  internet: { enabled: yes }\n' },
    };
    const { data } = merged(removed, known);
    expect(parse(data[HAND_WRITTEN] ?? '')).toEqual({ toolsets: { internet: { enabled: 'yes' } } });
    expect(data[`${REJECTED}1.yaml`]).toBe(edit.data[FILE]);
  });

  test('does not bring back what was emptied or removed from the hand-written text meanwhile', () => {
    const edit = `${first.data[FILE]}  bash:\n    enabled: false\n`.replace('timeout: 60', 'timeout: 90');
    const handWritten = (person: string): unknown => {
      const live = { ...now, data: { ...now.data, [FILE]: edit, [HAND_WRITTEN]: person } };
      return parse(merged(live, known).data[HAND_WRITTEN] ?? '');
    };
    for (const person of ['', '{}\n', 'toolsets: {}\n'])
      expect(handWritten(person)).toEqual({ toolsets: { bash: { enabled: false } } });
    const { data } = merged(
      {
        ...now,
        data: { ...now.data, [FILE]: `${first.data[FILE]}  bash:\n    enabled: false\n`, [HAND_WRITTEN]: '' },
      },
      known,
    );
    expect(parse(data[HAND_WRITTEN] ?? '')).toEqual({ toolsets: { bash: { enabled: false } } });
  });

  describe('and changes the server of a Service', () => {
    const server = (list: readonly string[]): string =>
      `mcp_servers:\n  shop/mcp:\n    approval_required_tools: ${JSON.stringify(list)}\n    config:\n      url: http://mcp.shop.svc.cluster.local:80/mcp\n`;
    const old = carried(`${GEN}${server(['*[!s]', 'list?*'])}`, fresh(''));
    const texts = { generated: `${GEN}${server(['*[!s]', 'list?*'])}`, handWritten: '' };
    const saved = (change: (text: string) => string, generated: string, from?: VersionTexts) => {
      const live = carried(generated, old);
      const merge = mergeForAgent(
        generated,
        withFile(live, change(old.data[FILE] ?? '')),
        holmes,
        [],
        from && { known: from },
      );
      if (merge.kind !== 'write') throw new Error(merge.kind);
      return [parse(merge.data[FILE] ?? '').mcp_servers, parse(merge.data[HAND_WRITTEN] ?? '')];
    };
    const withExtra = (text: string): string => text.replace('- list?*', '- list?*\n      - extra');
    const withoutList = (text: string): string =>
      text.replace(/ {4}approval_required_tools:\n(?: {6}.*\n)+/, '');
    const asked = (servers: unknown): unknown =>
      (servers as Record<string, { approval_required_tools: unknown }>)['shop/mcp']?.approval_required_tools;

    test('the agent asks before what it asked meanwhile', () => {
      const all = `${GEN}${server(['*'])}`;
      expect(asked(saved(withExtra, all, texts)[0])).toEqual(['*']);
      expect(asked(saved(withoutList, all, texts)[0])).toEqual(['*']);
    });

    test("without other changes of the list, it is the person's", () => {
      const same = `${GEN.replace('http://a', 'http://b')}${server(['*[!s]', 'list?*'])}`;
      expect(asked(saved(withExtra, same, texts)[0])).toEqual(['*[!s]', 'list?*', 'extra']);
      expect(asked(saved(withoutList, same, texts)[0])).toBeUndefined();
    });

    test('one that was withdrawn meanwhile stays away, and what the person added is added', () => {
      const bash = (text: string): string =>
        text.replace('toolsets:\n', 'toolsets:\n  bash:\n    enabled: false\n');
      const [servers, person] = saved(bash, GEN, texts);
      expect(servers).toBeUndefined();
      expect(person).toEqual({ toolsets: { bash: { enabled: false } } });
      const mine = (text: string): string =>
        `${text}  mine:\n    config:\n      url: http://mine\n  x/y:\n    config:\n      url: http://z\n`;
      expect(Object.keys(saved(mine, GEN, texts)[0])).toEqual(['mine', 'x/y']);
    });
  });

  test('that is not known any more is not applied, and the file is kept as it was found', () => {
    for (const [file, hasVersion] of [
      [outdated.data[FILE] ?? '', true],
      [(now.data[FILE] ?? '').replace(/# Version.*\n/, '').replace('http://b', 'http://c'), false],
    ] as const) {
      const { data, change, rejected = '', annotations } = merged(withFile(now, file));
      expect(change).toEqual({ kind: 'rejected', hasVersion });
      expect(data[HAND_WRITTEN]).toBe(now.data[HAND_WRITTEN]);
      expect(unversioned(data[FILE])).toBe(unversioned(now.data[FILE]));
      expect(data[rejected]).toBe(file);
      // It stays until it is removed.
      const kept = { data: { ...now.data, ...data }, annotations: { ...now.annotations, ...annotations } };
      expect(mergeForAgent(later, kept, holmes).kind).toBe('none');
      expect(mergeForAgent(GEN, kept, holmes)).toMatchObject({ data: { [rejected]: file } });
    }
    const last = withFile(now, `${now.data[FILE]}  bash:\n    enabled: false\n`);
    expect(merged(last).change).toEqual({ kind: 'edited', lost: [] });
  });

  test('displaces the oldest copies if there is no room for all, and is never in force', () => {
    const key = (number: number): string => `custom_toolset.rejected.${number}.yaml`;
    const copies = { [key(9)]: 'x'.repeat(850 * 1024), [key(10)]: '# newer' };
    const { data, rejected } = merged({ ...outdated, data: { ...outdated.data, ...copies } });
    expect(rejected).toBe(key(11));
    expect(Object.keys(data).filter((each) => each.startsWith('custom_toolset.rejected.'))).toEqual([
      key(11),
      key(10),
      ...(Buffer.byteLength(outdated.data[FILE] ?? '') < 20_000 ? [key(9)] : []),
    ]);
    const huge = withFile(now, `${first.data[FILE]}# ${'x'.repeat(900 * 1024)}\n`);
    const older = { [key(1)]: '# older', [key(2)]: '# newer' };
    expect(merged({ ...huge, data: { ...huge.data, ...older } }).data).toMatchObject(older);
    const restored = merged(huge);
    expect([unversioned(restored.data[FILE]), restored.rejected]).toEqual([
      unversioned(now.data[FILE]),
      undefined,
    ]);
    const many = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [key(number), `# ${number}`]));
    const latest = merged({ ...outdated, data: { ...outdated.data, ...many } }).data;
    expect(Object.keys(latest).filter((each) => each.startsWith('custom_toolset.rejected.')).length).toBe(5);
    expect(latest).not.toHaveProperty([key(1)]);
    expect(latest).toHaveProperty([key(6)]);
  });

  test.each(['# mine\n', '\n', '---\n', '# a\n\n# b\n'])(
    'with %j above its first line is an edit, too',
    (above) => {
      const { data, change } = merged(
        withFile(now, `${above}${now.data[FILE]}  bash:\n    enabled: false\n`),
      );
      expect(change).toEqual({ kind: 'edited', lost: [] });
      expect(data[HAND_WRITTEN]).toBe(`${HELM}  bash:\n    enabled: false\n`);
    },
  );

  test('without its comments, and otherwise as it is, is none', () => {
    const person = 'toolsets: { core: null }\n';
    const removed = carried(GEN, { ...first, data: { ...first.data, [HAND_WRITTEN]: person } });
    const bare = withFile(removed, stringify(fileOf(removed)));
    expect(unversionedIn(carried(GEN, bare))).toEqual(unversionedIn(removed));
  });
});

describe('properties', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'yes', '__x');
  const leaf = fc.oneof(
    fc.constantFrom('1', 'no', 'x: y', ''),
    fc.boolean(),
    fc.integer(),
    fc.constant([1, 'two']),
  );
  const entry = fc.dictionary(
    names,
    fc.oneof(leaf, fc.dictionary(names, leaf, { maxKeys: 3, noNullPrototype: true })),
    {
      maxKeys: 3,
      noNullPrototype: true,
    },
  );
  const sections = fc.record({
    toolsets: fc.dictionary(names, entry, { maxKeys: 3, noNullPrototype: true }),
    mcp_servers: fc.dictionary(names, entry, { maxKeys: 2, noNullPrototype: true }),
  });
  const generated = sections.map((document) => ({
    ...document,
    toolsets: { ...document.toolsets, core: { enabled: true } },
  }));
  type Step =
    | { readonly kind: 'generated'; readonly document: Mapping }
    | { readonly kind: 'helm'; readonly document: Mapping }
    | { readonly kind: 'edit'; readonly patch: Mapping };
  const patch = fc.record({
    toolsets: fc.dictionary(names, fc.oneof(entry, fc.constant(null)), { maxKeys: 2, noNullPrototype: true }),
  });
  const steps = fc.array(
    fc.oneof(
      generated.map((document): Step => ({ kind: 'generated', document })),
      sections.map((document): Step => ({ kind: 'helm', document })),
      patch.map((each): Step => ({ kind: 'edit', patch: each })),
    ),
    { maxLength: 8 },
  );
  const text = (document: unknown) =>
    stringify(document, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  const full = (document: unknown) => {
    const map = document as Record<string, Record<string, unknown>>;
    return { toolsets: {}, mcp_servers: {}, ...map };
  };

  test('no hand-written text is lost, and merging is idempotent', () => {
    fc.assert(
      fc.property(generated, fc.option(sections), steps, (start, original, sequence) => {
        let gen: Mapping = start;
        let live = carried(text(gen), fresh(original === null ? undefined : text(original)));
        if (original !== null) {
          expect(live.data[HAND_WRITTEN]).toBe(text(original));
          expect(full(fileOf(live))).toEqual(full(mergePatch(gen, original)));
        }
        for (const step of sequence) {
          const before = full(fileOf(live)) as Mapping;
          const mine = parse(live.data[HAND_WRITTEN] ?? '', { version: '1.1' }) ?? {};
          if (step.kind === 'generated') {
            gen = step.document;
            const kept = live.data[HAND_WRITTEN];
            live = carried(text(gen), live);
            expect(live.data[HAND_WRITTEN]).toBe(kept);
            expect(full(fileOf(live))).toEqual(full(mergePatch(gen, mine)));
          } else if (step.kind === 'helm') {
            live = carried(text(gen), withFile(live, text(step.document)));
            const after = full(fileOf(live)) as Mapping;
            expect(after).toEqual(mergePatch(after, step.document));
            // An entry that is the same as before may be the person's, without some of what is generated.
            const others = (section: string): Mapping =>
              Object.fromEntries(
                Object.entries((gen[section] ?? {}) as Mapping).filter(
                  ([name]) => !Object.hasOwn(step.document[section] as Mapping, name),
                ),
              );
            const rest = { toolsets: others('toolsets'), mcp_servers: others('mcp_servers') };
            expect(after).toEqual(mergePatch(rest, after));
          } else {
            const edited = mergePatch(before, step.patch);
            const head = (live.data[FILE] ?? '').split('\n').slice(0, 2).join('\n');
            live = carried(text(gen), withFile(live, `${head}\n${text(edited)}`));
            expect(full(fileOf(live))).toEqual(full(edited));
          }
          expect(live.data['model_list.yaml']).toBe('m: 1\n');
          expect(mergeForAgent(text(gen), live, holmes).kind).toBe('none');
        }
      }),
      { numRuns: 300 },
    );
  }, 300_000);

  /** Whether a patch changes something that others change, too. */
  const isChangedTwice = (patch: Mapping, start: Mapping, later: readonly Mapping[]): boolean =>
    Object.entries(patch).some(([key, value]) => {
      const before = own(start, key);
      if (isMapping(value) && isMapping(before))
        return isChangedTwice(
          value,
          before,
          later.map((each) => own(each, key)).filter((each) => isMapping(each)),
        );
      return later.some((each) => Object.hasOwn(each, key) && !same(own(each, key), before));
    });

  /** Whether a patch makes a mapping of what is none. */
  const changesKind = (patch: Mapping, file: Mapping): boolean =>
    Object.entries(patch).some(([key, value]) => {
      const before = own(file, key);
      if (!isMapping(value) || before === undefined) return false;
      return !isMapping(before) || changesKind(value, before);
    });

  test('an outdated edit changes what it would have changed at once', () => {
    fc.assert(
      fc.property(
        generated,
        sections,
        patch,
        fc.array(generated, { maxLength: 3 }),
        (start, original, change, later) => {
          // Where both sides change the same thing, the order matters.
          fc.pre(!isChangedTwice(change, full(start) as Mapping, later.map(full) as Mapping[]));
          const first = carried(text(start), fresh(text(original)));
          fc.pre(!changesKind(change, full(fileOf(first)) as Mapping));
          const [mark, version] = (first.data[FILE] ?? '').split('\n');
          const saved = `${mark}\n${version}\n${text(mergePatch(full(fileOf(first)), change))}`;
          const follow = (live: AgentConfigMap): AgentConfigMap =>
            later.reduce((now, document) => carried(text(document), now), live);
          const atOnce = follow(carried(text(start), withFile(first, saved)));
          const now = follow(first);
          // What is not generated any more stays away.
          const [last, file] = [full(fileOf(now)) as Mapping, full(fileOf(first)) as Mapping];
          const isGone = Object.entries(change).some(([section, entries]) =>
            Object.keys(entries ?? {}).some(
              (name) =>
                Object.hasOwn(own(file, section) ?? {}, name) &&
                !Object.hasOwn(own(last, section) ?? {}, name),
            ),
          );
          fc.pre(!isGone);
          const latest = text(later.at(-1) ?? start);
          const known = { generated: text(start), handWritten: first.data[HAND_WRITTEN] ?? '' };
          const merge = mergeForAgent(latest, withFile(now, saved), holmes, [], { known });
          // A text that was withdrawn meanwhile does not come back with what is added.
          const isWithdrawn = withdrawnSince(file, last);
          fc.pre(!isWithdrawn(change));
          const data = { ...now.data, ...(merge.kind === 'write' ? merge.data : {}) };
          const read = (from: AgentConfigMap['data']) =>
            [HAND_WRITTEN, FILE].map((key) => parse(from[key] ?? ''));
          expect(read(data)).toEqual(read(atOnce.data));
        },
      ),
      { numRuns: 300 },
    );
  }, 300_000);
});

test('hand-written servers are not duplicated, and an edit of the file does not change their origin', () => {
  const PUBLISHED: readonly PublishedTool[] = [];
  const without: HolmesFile = {
    ...holmes,
    withoutDuplicates: (generated, handWritten, tools) => {
      const { mcp_servers: _, ...others } = generated;
      const isListed = tools === PUBLISHED && Object.hasOwn(handWritten, 'mcp_servers');
      const notes = [{ section: 'mcp_servers', name: 's/x', note: { what: 'is not added' } }];
      return isListed ? { document: others, notes } : { document: generated, notes: [] };
    },
  };
  const generated = `${GEN}mcp_servers:\n  s/x:\n    url: http://x\n`;
  const mine = 'mcp_servers:\n  mine:\n    url: http://y\n';
  const merged = (live: AgentConfigMap) => {
    const merge = mergeForAgent(generated, live, without, PUBLISHED);
    if (merge.kind !== 'write') throw new Error(merge.kind);
    return { data: merge.data, annotations: merge.annotations, notes: merge.notes };
  };
  const first = merged(fresh(mine));
  expect(Object.keys(parse(first.data[FILE] ?? '').mcp_servers)).toEqual(['mine']);
  expect(first.notes).toHaveLength(1);
  expect(mergeForAgent(generated, first, without, PUBLISHED).kind).toBe('none');
  const edited = { ...first, data: { ...first.data, [FILE]: `${first.data[FILE]}  other:\n    url: z\n` } };
  const second = merged(edited);
  expect(Object.keys(parse(second.data[HAND_WRITTEN] ?? '').mcp_servers).sort()).toEqual(['mine', 'other']);
});
