import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { mergePatch } from '../../src/model/merge.ts';
import {
  type AgentConfigMap,
  FILE,
  FILE_HASH,
  GENERATED,
  HAND_WRITTEN,
  type HolmesFile,
} from '../../src/outputs/holmesgpt/merge/agent-file.ts';
import { joinDocuments } from '../../src/outputs/holmesgpt/merge/join.ts';
import type { JoinOptions } from '../../src/outputs/holmesgpt/merge/join-options.ts';
import { learnEdit } from '../../src/outputs/holmesgpt/merge/learn.ts';
import { mergeForAgent } from '../../src/outputs/holmesgpt/merge/merge.ts';
import { holmesText } from '../../src/outputs/holmesgpt/render/text.ts';

type Json = Record<string, unknown>;

const JOIN: JoinOptions = { holmesgptVersion: '0.32', namespace: 'holmes', standsAlone: true };
const holmes: HolmesFile = {
  write: holmesText,
  fault: () => undefined,
  join: (generated, person) => joinDocuments(generated, person, JOIN),
  withoutDuplicates: (document) => ({ document, notes: [] }),
  learn: (patch, edit) => learnEdit(patch, edit, JOIN),
};

const ES = 'elasticsearch/data';
const found = (...names: string[]) => ({
  instances: names.map((name) => ({ name, api_url: `http://${name}.svc.cluster.local:9200` })),
});
const document = (config: unknown) => ({ toolsets: { [ES]: { enabled: true, config } } });
const text = (config: unknown): string => stringify(document(config), { aliasDuplicateObjects: false });

function carried(generated: unknown, live: AgentConfigMap): AgentConfigMap {
  const merge = mergeForAgent(text(generated), live, holmes);
  if (merge.kind === 'refused') throw new Error(merge.what);
  if (merge.kind === 'none') return live;
  const next = {
    data: { ...live.data, ...merge.data },
    annotations: { ...live.annotations, ...merge.annotations },
  };
  expect(mergeForAgent(text(generated), next, holmes).kind).toBe('none');
  return next;
}

const fresh = (config: unknown): AgentConfigMap => ({ data: { [FILE]: text(config) }, annotations: {} });
const configIn = (live: AgentConfigMap, key = FILE): unknown =>
  parse(live.data[key] ?? '')?.toolsets?.[ES]?.config;

/** A person edits the file and keeps its first two lines. */
function edited(live: AgentConfigMap, change: (config: Json) => unknown): AgentConfigMap {
  const whole = parse(live.data[FILE] ?? '') as { toolsets: Record<string, Json> };
  const entry = whole.toolsets[ES] as Json;
  entry.config = change(structuredClone(entry.config) as Json);
  const head = (live.data[FILE] ?? '').split('\n').slice(0, 2).join('\n');
  return {
    ...live,
    data: { ...live.data, [FILE]: `${head}\n${stringify(whole, { aliasDuplicateObjects: false })}` },
  };
}

const mine = {
  api_url: 'http://opensearch.logging:9200',
  username: 'admin',
  password: '{{ env.ES_PASSWORD }}',
};
const own = { name: 'default', ...mine };

describe('manual edits of the backends of a toolset', () => {
  const first = carried(found('a.evil'), fresh(mine));
  const more = found('a.evil', 'b.team').instances;

  test('a hand-written backend comes first, and new ones follow', () => {
    expect(configIn(first)).toEqual({ instances: [own, ...found('a.evil').instances] });
    expect(configIn(carried(found('a.evil', 'b.team'), first))).toEqual({ instances: [own, ...more] });
  });

  test('a field of a hand-written backend is kept, and generated backends are not copied', () => {
    const change = edited(first, ({ instances }) => ({
      instances: (instances as Json[]).map((each) =>
        each.name === 'default' ? { ...each, timeout_seconds: 3 } : each,
      ),
    }));
    const live = carried(found('a.evil', 'b.team'), change);
    expect(configIn(live)).toEqual({ instances: [{ ...own, timeout_seconds: 3 }, ...more] });
    expect(configIn(live, HAND_WRITTEN)).toEqual({ instances: [{ ...own, timeout_seconds: 3 }] });
  });

  test('credentials of a generated backend apply only to it', () => {
    const change = edited(first, ({ instances }) => ({
      instances: (instances as Json[]).map((each) =>
        each.name === 'a.evil' ? { ...each, api_key: 'k' } : each,
      ),
    }));
    const live = carried(found('a.evil', 'b.team'), change);
    expect(configIn(live)).toEqual({
      instances: [own, { ...more[0], api_key: 'k' }, more[1]],
    });
  });

  test('a generated backend that is removed stays away, and so do new ones', () => {
    const change = edited(first, ({ instances }) => ({ instances: (instances as Json[]).slice(0, 1) }));
    const live = carried(found('a.evil', 'b.team'), change);
    expect(configIn(live)).toEqual({ instances: [own] });
  });

  test('credentials next to the list go only to hand-written backends', () => {
    const change = edited(first, (config) => ({ ...config, client_cert: '/c', client_key: '/k' }));
    expect(configIn(carried(found('a.evil'), change))).toEqual({
      instances: [{ client_cert: '/c', client_key: '/k', ...own }, ...found('a.evil').instances],
    });
  });

  test('a field next to the address of the only backend applies only to that address', () => {
    const flat = { api_url: 'http://a.evil.svc.cluster.local:9200' };
    const live = carried(flat, { data: {}, annotations: {} });
    const learned = carried(
      flat,
      edited(live, (config) => ({ ...config, api_key: 'k' })),
    );
    expect(configIn(learned)).toEqual({ ...flat, api_key: 'k' });
    expect(configIn(carried(found('a.evil', 'b.team'), learned))).toEqual({
      instances: [{ name: 'default', ...flat, api_key: 'k' }, more[1]],
    });
  });

  test('an address that replaces the only one stays', () => {
    const live = carried({ api_url: 'http://a.evil.svc.cluster.local:9200' }, { data: {}, annotations: {} });
    const learned = carried(
      { api_url: 'http://a.evil.svc.cluster.local:9200' },
      edited(live, () => ({ api_url: 'http://x' })),
    );
    expect(configIn(learned)).toEqual({ api_url: 'http://x' });
  });
});

describe('an edit during which backends come and go', () => {
  const first = carried(
    found('a.evil', 'b.team'),
    fresh({ instances: [{ name: 'prod', api_url: 'http://prod' }] }),
  );
  const known = { generated: text(found('a.evil', 'b.team')), handWritten: first.data[HAND_WRITTEN] ?? '' };
  const saved = (change: (all: Json[]) => Json[], later = ['b.team', 'c.new']): unknown[] => {
    const edit = edited(first, ({ instances, ...others }) => ({
      ...others,
      instances: change(instances as Json[]),
    }));
    const version = (first.data[FILE] ?? '').split('\n')[1];
    const [mark, ...rest] = (edit.data[FILE] ?? '').split('\n');
    const now = carried(found('b.team', 'c.new'), first);
    const live = { ...now, data: { ...now.data, [FILE]: [mark, version, ...rest].join('\n') } };
    const merge = mergeForAgent(text(found('b.team', 'c.new')), live, holmes, [], { known });
    if (merge.kind !== 'write') throw new Error(merge.kind);
    const after = { data: merge.data, annotations: { ...live.annotations, ...merge.annotations } };
    const { instances, ...others } = configIn(carried(found(...later), after)) as { instances: Json[] };
    return [...instances.map(({ name }) => name), others];
  };

  test('takes over none of them', () => {
    expect(saved((all) => [...all, { name: 'mine', api_url: 'http://mine' }])).toEqual([
      'prod',
      'mine',
      'b.team',
      'c.new',
      {},
    ]);
  });

  test('and that removes one ends the list, without what came meanwhile, unless another one is gone', () => {
    expect(saved((all) => all.filter(({ name }) => name === 'prod'))).toEqual(['prod', {}]);
    const left = (all: Json[]) => all.filter(({ name }) => name !== 'a.evil');
    expect(saved(left)).toEqual(['prod', 'b.team', {}]);
    expect(saved(left, ['a.evil', 'b.team'])).toEqual(['prod', 'b.team', {}]);
    expect(saved((all) => all.filter(({ name }) => name !== 'b.team'))).toEqual([
      'prod',
      'b.team',
      'c.new',
      {},
    ]);
  });
});

describe('a ConfigMap that 0.1.0 wrote', () => {
  const MARK =
    '# Made by dynamic-toolset from the two texts beside it: what is generated, and what people wrote.\n';
  const written = (generated: unknown, person: unknown, edit: Json = {}): AgentConfigMap => {
    const merged = mergePatch(document(generated), document(person)) as unknown;
    const file = `${MARK}${stringify(merged)}`;
    const now =
      Object.keys(edit).length === 0 ? file : `${MARK}${stringify(mergePatch(merged, document(edit)))}`;
    return {
      data: { [FILE]: now, [HAND_WRITTEN]: text(person), [GENERATED]: text(generated) },
      annotations: { [FILE_HASH]: `sha256:${createHash('sha256').update(file).digest('hex')}` },
    };
  };

  test.each([found('a.evil', 'b.team'), { api_url: 'http://a.evil.svc.cluster.local:9200' }])(
    'is repaired automatically: %j',
    (generated) => {
      const live = carried(generated, written(generated, mine));
      const ours = 'instances' in generated ? generated.instances : [{ name: 'a.evil', ...generated }];
      expect(configIn(live)).toEqual({ instances: [own, ...ours] });
      expect(live.data[HAND_WRITTEN]).toBe(text(mine));
    },
  );

  test('is repaired even if something else in it was edited meanwhile', () => {
    const generated = found('a.evil', 'b.team');
    const live = carried(generated, written(generated, mine, { timeout_seconds: 4 }));
    expect(configIn(live)).toMatchObject({
      instances: [{ name: 'default', ...mine }, ...generated.instances],
    });
  });

  test('gives generated backends no credentials from a list that it copied', () => {
    const generated = found('a.evil', 'b.team');
    const person = { ...mine, ...found('a.evil', 'b.team') };
    expect(configIn(carried(generated, written(generated, person)))).toEqual({
      instances: [own, ...generated.instances],
    });
  });
});

test('an edit stays, and merging again changes nothing', () => {
  const names = fc.subarray(['a.evil', 'b.team', 'c.monitoring']);
  const generated = names.map((some) =>
    some.length === 0 ? { api_url: 'http://z.evil.svc.cluster.local:9200' } : found(...some),
  );
  const person = fc.constantFrom<unknown>(
    undefined,
    mine,
    { timeout_seconds: 5 },
    { instances: [own] },
    {
      instances: [{ name: 'x', api_url: 'http://a.evil:9200', api_key: 'k' }],
    },
  );
  const entry = fc.record(
    {
      name: fc.constantFrom('p', 'q', 'a.evil'),
      api_url: fc.constantFrom('http://p', 'http://q', 'http://r'),
      api_key: fc.constant('k'),
    },
    { requiredKeys: ['name', 'api_url'] },
  );
  const step = fc.oneof(
    generated.map((config) => ({ kind: 'generated' as const, config })),
    fc.record({ kind: fc.constant('add' as const), entry }),
    fc.record({ kind: fc.constant('remove' as const), index: fc.nat(3) }),
    fc.record({ kind: fc.constant('common' as const), seconds: fc.integer({ min: 1, max: 9 }) }),
  );
  fc.assert(
    fc.property(generated, person, fc.array(step, { maxLength: 6 }), (start, wrote, steps) => {
      let config: unknown = start;
      let live = carried(config, wrote === undefined ? { data: {}, annotations: {} } : fresh(wrote));
      for (const each of steps) {
        if (each.kind === 'generated') {
          config = each.config;
          live = carried(config, live);
          continue;
        }
        const change = edited(live, (now) => {
          if (each.kind === 'common') return { ...now, timeout_seconds: each.seconds };
          const { instances, ...flat } = now;
          const list = (instances ?? [{ name: 'flat', ...flat }]) as Json[];
          const rest = instances === undefined ? {} : flat;
          if (each.kind === 'remove' && list.length > 1)
            return { ...rest, instances: list.filter((_, index) => index !== each.index) };
          if (each.kind === 'add' && !list.some(({ name }) => name === each.entry.name))
            return { ...rest, instances: [each.entry, ...list] };
          return now;
        });
        const wanted = configIn(change) as Json;
        live = carried(config, change);
        const got = configIn(live) as Json;
        // A list of one says the same as that one without a list, and ours give way to names of theirs.
        const sorted = ({ instances, ...rest }: Json): unknown => {
          const list = ((instances ?? []) as Json[]).map(({ name: _, ...fields }) => fields);
          if (list.length === 1) return { ...rest, ...list[0] };
          const ordered = list.toSorted((x, y) => String(x.api_url).localeCompare(String(y.api_url)));
          return { ...rest, ...(list.length === 0 ? {} : { instances: ordered }) };
        };
        expect({ each, got: sorted(got) }).toEqual({ each, got: sorted(wanted) });
      }
    }),
    { numRuns: 150 },
  );
}, 120_000);
