import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { load, loadAll } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Generated } from '../../model/documents.ts';
import { ConfigError, type UserError } from '../../model/errors.ts';
import { plan } from '../../planning/plan.ts';
import { PublishConflict, type Publisher, ShardsRefused } from '../publisher.ts';
import { filePublisher } from './file-publisher.ts';

const target = { namespace: 'kubernaut-system', name: 'kubernaut-toolset-config' };
const generated: Generated = {
  documents: { 'toolset.json': '{\n  "tools": []\n}\n', 'custom_toolset.yaml': 'toolsets:\n  a: {}\n' },
  tools: [],
  notes: [],
  limitNotes: [],
  waiting: [],
  held: [],
  unhealthy: [],
  cuts: [],
  omissions: [],
};
const now = new Date('2026-01-02T03:04:05.678Z');
const { signal } = new AbortController();
const AT_ONCE = { usual: 0, unfinished: 0 };
const publisherOf = (file: string, tell?: (line: string) => void): Publisher =>
  filePublisher(file, target, tell, AT_ONCE);

let folder: string;
let path: string;
let publisher: Publisher;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publisher-'));
  path = join(folder, 'configmap.yaml');
  publisher = publisherOf(path);
});
afterEach(() => rm(folder, { recursive: true }));

async function publish(at = now): Promise<string> {
  await publisher.apply(plan(generated, await publisher.read(signal), '1'), at, signal);
  return await readFile(path, 'utf8');
}

async function failure(doing: Promise<unknown>): Promise<UserError> {
  const error = await doing.then(
    () => 'nothing failed',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return error as UserError;
}

const MANIFEST = `# Kept by the platform team.
apiVersion: v1
kind: ConfigMap # not a Secret
metadata:
  name: kubernaut-toolset-config
  namespace: kubernaut-system
  labels:
    team: sre # ours
  annotations:
    note: "yes"
# What follows is data.
data:
  # Our part.
  overrides.yaml: |
    # Grafana is not for agents.
    tools:
      grafana.monitoring: { enabled: false }   

  other.txt: 'it''s kept'
  toolset.json: "old"
# The end.
`;

describe('publishing to a file', () => {
  test('without one, creates the manifest of a whole ConfigMap', async () => {
    expect(await publisher.read(signal)).toBeUndefined();
    expect(parse(await publish())).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        ...target,
        labels: expect.objectContaining({ 'app.kubernetes.io/managed-by': 'dynamic-toolset' }),
        annotations: expect.objectContaining({ 'kubernaut.io/last-updated': '2026-01-02T03:04:05Z' }),
      },
      data: generated.documents,
    });
  });

  test.each(['', '\n', '  \n\n'])('an empty file, %j, counts as none', async (text) => {
    await writeFile(path, text);
    expect(await publisher.read(signal)).toBeUndefined();
    expect(parse(await publish()).data).toEqual(generated.documents);
  });

  test('the published content is read back, and nothing is left to do', async () => {
    const before = await publish();
    const live = await publisher.read(signal);
    expect(live?.data).toEqual(generated.documents);
    expect(plan(generated, live, '1').action).toBe('none');
    expect(await publish(new Date(0))).toBe(before);
  });

  test('other data keys, labels, annotations and comments are kept', async () => {
    await writeFile(path, MANIFEST);
    const text = await publish();
    const before = parse(MANIFEST) as { data: Record<string, string> };
    const after = parse(text) as typeof before & { metadata: Record<string, object> };
    expect(after.data).toEqual({ ...before.data, ...generated.documents });
    expect(after.metadata.labels).toMatchObject({ team: 'sre', 'app.kubernetes.io/version': '1' });
    expect(after.metadata.annotations).toMatchObject({
      note: 'yes',
      'kubernaut.io/discovered-services': '0',
    });
    for (const [comment] of MANIFEST.matchAll(/# .*$/gm)) expect(text).toContain(comment);
  });

  test('fields that are not ours are kept', async () => {
    await writeFile(
      path,
      'kind: ConfigMap\nmetadata: { name: x, finalizers: [a/b] }\nimmutable: false\nbinaryData: { k: AAAA }\n',
    );
    expect(parse(await publish())).toMatchObject({
      immutable: false,
      binaryData: { k: 'AAAA' },
      metadata: { ...target, finalizers: ['a/b'] },
    });
  });

  test('binaryData is read and put right as in a ConfigMap', async () => {
    const overrides = Buffer.from('# mine').toString('base64');
    await writeFile(
      path,
      `kind: ConfigMap\nmetadata: { name: x }\nbinaryData: { overrides.yaml: ${overrides}, toolset.json: AAAA }\n`,
    );
    expect(await publisher.read(signal)).toMatchObject({
      data: { 'overrides.yaml': '# mine' },
      binary: ['overrides.yaml', 'toolset.json'],
    });
    expect(parse(await publish())).toMatchObject({ binaryData: { 'overrides.yaml': overrides } });
    expect(parse(await publish()).binaryData).not.toHaveProperty(['toolset.json']);
  });

  test('parts of a manifest that are there without content are filled', async () => {
    await writeFile(path, 'kind: ConfigMap\nmetadata: { name: x, labels: null, annotations: }\ndata:\n');
    expect(parse(await publish())).toMatchObject({
      metadata: { ...target, labels: { 'app.kubernetes.io/version': '1' } },
      data: generated.documents,
    });
  });

  test('a label of a part does not make the first ConfigMap one', async () => {
    const label = 'metadata: { name: x, labels: { kubernaut.io/shard: "2" } }';
    await writeFile(path, `kind: ConfigMap\n${label}\ndata: { overrides.yaml: "# mine" }\n`);
    expect((await publisher.read(signal))?.data).toEqual({ 'overrides.yaml': '# mine' });
  });

  test('the overrides of a file that was deleted come back in its first ConfigMap only', async () => {
    const documents = { 'custom_toolset.yaml': 'toolsets: {}\n', 'toolset.json': 'a', 'toolset.json#2': 'b' };
    const overrides = '# mine';
    const planned = plan({ documents, tools: [], overrides }, undefined, '1');
    await publisher.apply(planned, now, signal);
    const all = loadAll(await readFile(path, 'utf8')) as { data: object }[];
    expect(all.map(({ data }) => data)).toEqual([
      { 'custom_toolset.yaml': 'toolsets: {}\n', 'toolset.json': 'a', 'overrides.yaml': overrides },
      { 'toolset.json': 'b' },
    ]);
  });

  test('nothing else is left in the folder', async () => {
    await publish();
    await writeFile(path, MANIFEST);
    await publish();
    expect(await readdir(folder)).toEqual(['configmap.yaml']);
  });
});

describe('texts of operators', () => {
  const tricky = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        '\n',
        '\r',
        ' ',
        '\t',
        '#',
        ':',
        '- ',
        '"',
        "'",
        '|',
        '>',
        '\\',
        'a',
        '\u0085',
        '\u2028',
        '\ufeff',
        '---',
        '%',
        '{{',
        '🛒',
      ),
    }),
    fc.constantFrom(
      '',
      ' ',
      '\n',
      '\n\n',
      'yes',
      '~',
      '1e3',
      '0x1f',
      '2026-01-01',
      'a\r\nb\r\n',
      '  indented\nless\n',
      '...\n',
      'x'.repeat(10_000),
    ),
  );
  const styles = fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED');

  test('stay identical to the last character, in any notation, for any reader', async () => {
    await fc.assert(
      fc.asyncProperty(tricky, tricky, styles, async (overrides, other, defaultStringType) => {
        const data = { 'overrides.yaml': overrides, other };
        const text = stringify({ kind: 'ConfigMap', metadata: { name: 'x' }, data }, { defaultStringType });
        fc.pre(JSON.stringify(parse(text).data) === JSON.stringify(data));
        await writeFile(path, text);
        const after = await publish();
        expect(parse(after).data).toEqual({ ...data, ...generated.documents });
        expect((load(after) as { data: unknown }).data).toEqual({ ...data, ...generated.documents });
        expect((await publisher.read(signal))?.data['overrides.yaml']).toBe(overrides);
      }),
      { numRuns: 100 },
    );
  }, 30_000);
});

describe('rejects', () => {
  test.each([
    ['another kind', 'kind: Secret\nmetadata: { name: x }\n'],
    ['no kind', 'metadata: { name: x }\n'],
    ['no metadata', 'kind: ConfigMap\n'],
    ['several documents', `${MANIFEST}---\nkind: Service\n`],
    ['a list', '- kind: ConfigMap\n'],
    ['a text', 'just text\n'],
    ['only comments', '# Nothing yet.\n'],
    ['a key twice', 'kind: ConfigMap\nmetadata: { name: x }\nmetadata: { name: x }\n'],
    [
      'aliases, which a change of ours might change',
      'kind: ConfigMap\nmetadata: { name: x, labels: &same { a: b }, annotations: *same }\n',
    ],
    ['broken YAML', 'kind: ConfigMap\nmetadata: [\n'],
    [
      'data that is no text',
      'kind: ConfigMap\nmetadata: { name: x }\ndata: { overrides.yaml: { tools: {} } }\n',
    ],
  ])('a file that is not the manifest of a ConfigMap, %s, and it stays unchanged', async (_, text) => {
    await writeFile(path, text);
    const reading = await failure(publisher.read(signal));
    expect(reading.message).toContain(path);
    expect(reading.message).toContain('--out');
    await failure(publisher.apply(plan(generated, undefined, '1'), now, signal));
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(folder)).toEqual(['configmap.yaml']);
  });

  test.each([
    ['password: [QZXJ1234\n', 'line 1, column 11: this [ is not closed'],
    ['a: b\nkind: "\\qQZXJ1234"\n', 'line 2, column 8: a backslash in double quotes '],
    ['kind: QZXJ1234\n', 'kind must be ConfigMap, but is '],
    [
      'kind: ConfigMap\nmetadata: { labels: { a: 5 } }\n',
      'metadata.labels.a must be a string, but is a number',
    ],
  ])('%j with one line that has the place and no value', async (text, what) => {
    await writeFile(path, text);
    const { message } = await failure(publisher.read(signal));
    expect(message).toContain(`is not the manifest of a ConfigMap (${what}`);
    expect(message).not.toMatch(/QZXJ|\n/);
  });

  test('a file of more than 32 MiB', async () => {
    await writeFile(path, '');
    await truncate(path, 32 * 1024 * 1024 + 1);
    const { message } = await failure(publisher.read(signal));
    expect(message).toBe(
      `cannot read ${path}: it has more than 32 MiB, the limit for a file; choose another file with --out`,
    );
  });

  test('a path in a folder that does not exist', async () => {
    const lost = publisherOf(join(folder, 'no', 'such', 'file.yaml'));
    expect(await lost.read(signal)).toBeUndefined();
    const error = await failure(lost.apply(plan(generated, undefined, '1'), now, signal));
    expect(error.message).toMatch(/cannot write .*file\.yaml/);
    expect(error.message).toContain('--out');
  });

  test('a path that is a folder', async () => {
    await mkdir(path);
    expect((await failure(publisher.read(signal))).message).toContain(path);
  });
});

describe('an existing file', () => {
  test.each([0o600, 0o644, 0o664, 0o400, 0o755])('keeps its permissions: %o', async (mode) => {
    await publish();
    await chmod(path, mode);
    const before = await readFile(path, 'utf8');
    await publisher.apply(plan(generated, await publisher.read(signal), '2'), now, signal);
    expect(await readFile(path, 'utf8')).not.toBe(before);
    expect((await stat(path)).mode & 0o777).toBe(mode);
    expect(await readdir(folder)).toEqual(['configmap.yaml']);
  });

  test.each([true, false])(
    'may be a symbolic link, which stays one; its target exists: %s',
    async (there) => {
      const file = join(folder, 'target.yaml');
      if (there) await writeFile(file, '');
      await symlink('target.yaml', path);
      const text = await publish();
      expect((await lstat(path)).isSymbolicLink()).toBe(true);
      expect(await readlink(path)).toBe('target.yaml');
      expect(await readFile(file, 'utf8')).toBe(text);
      expect((await readdir(folder)).sort()).toEqual(['configmap.yaml', 'target.yaml']);
    },
  );
});

describe('documents of several ConfigMaps', () => {
  const parts = (...texts: readonly string[]) => ({
    ...generated,
    documents: {
      'custom_toolset.yaml': 'toolsets: {}\n',
      ...Object.fromEntries(
        texts.map((text, index) => [index === 0 ? 'toolset.json' : `toolset.json#${index + 1}`, text]),
      ),
    },
  });
  const publishParts = async (...texts: readonly string[]): Promise<string> => {
    const { documents } = parts(...texts);
    const planned = plan({ documents, tools: [] }, await publisher.read(signal), '1');
    if (planned.action === 'none') return 'nothing to do';
    await publisher.apply(planned, now, signal);
    return await readFile(path, 'utf8');
  };

  test('are documents of a YAML stream, the main one first, and are read back completely', async () => {
    const text = await publishParts('a', 'b', 'c');
    const all = loadAll(text) as { metadata: { name: string }; data: object }[];
    expect(all.map(({ metadata }) => metadata.name)).toEqual([
      target.name,
      `${target.name}-2`,
      `${target.name}-3`,
    ]);
    expect(all[2]?.data).toEqual({ 'toolset.json': 'c' });
    expect((await publisher.read(signal))?.data).toEqual(parts('a', 'b', 'c').documents);
    expect(await publishParts('a', 'b', 'c')).toBe('nothing to do');
  });

  test('keep everything else; an unchanged part stays as it is, and an unneeded one is removed', async () => {
    const text = await publishParts('a', 'b', 'c');
    await writeFile(path, text.replace(`name: ${target.name}-2\n`, `name: ${target.name}-2 # the second\n`));
    const more = await publishParts('a', 'b', 'd');
    expect(more).toContain('# the second');
    expect(more).toContain('toolset.json: d');
    expect(await publishParts('a', 'b')).toContain('# the second');
    const one = await publishParts('e');
    expect(loadAll(one)).toHaveLength(1);
    expect((await publisher.read(signal))?.data).toEqual(parts('e').documents);
  });

  test('keep an unneeded part that has keys of others, without ours', async () => {
    const lines: string[] = [];
    publisher = publisherOf(path, (line) => lines.push(line));
    const text = await publishParts('a', 'b', 'c');
    await writeFile(
      path,
      text.replace('data:\n  toolset.json: b', 'data:\n  note: mine # really\n  toolset.json: b'),
    );
    const one = await publishParts('d');
    const [, kept, ...rest] = loadAll(one) as { metadata: object; data: object }[];
    expect(rest).toEqual([]);
    expect(kept).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        ...target,
        name: `${target.name}-2`,
        labels: {},
        annotations: { 'kubernaut.io/former-shard': `${target.name}-2` },
      },
      data: { note: 'mine' },
    });
    expect(one).toContain('# really');
    expect((await publisher.read(signal))?.data).toEqual(parts('d').documents);
    expect(await publishParts('d')).toBe('nothing to do');
    expect(await publishParts('e')).toContain('# really');
    const again = loadAll(await publishParts('a', 'b')) as { metadata: object; data: object }[];
    expect(again[1]?.data).toEqual({ note: 'mine', 'toolset.json': 'b' });
    expect(JSON.stringify(again[1])).not.toContain('former-shard');
    expect(lines).toEqual([
      expect.stringContaining(
        `ConfigMap ${target.name}-2 has no part of the toolset any more; it is kept, because others wrote note into it`,
      ),
    ]);
  });

  test('a part stays as it is to the last character while others change, whatever the time', async () => {
    const partOf = (text: string): string | undefined => text.split('---\n')[1];
    const before = partOf(await publishParts('a', 'b'));
    const planned = plan(parts('c', 'b'), await publisher.read(signal), '1');
    await publisher.apply(planned, new Date(0), signal);
    expect(partOf(await readFile(path, 'utf8'))).toBe(before);
  });

  test('a part with two documents changes if one of them does', async () => {
    const publishTwo = async (text: string): Promise<void> => {
      const documents = { ...parts('a', 'b').documents, 'other.json': '{}', 'other.json#2': text };
      await publisher.apply(plan({ documents, tools: [] }, await publisher.read(signal), '1'), now, signal);
    };
    await publishTwo('c');
    await publishTwo('d');
    expect((await publisher.read(signal))?.data).toMatchObject({ 'other.json#2': 'd' });
  });

  test('their number is an annotation, also of a file that is there', async () => {
    await publishParts('a');
    await publishParts('a', 'b');
    expect((await publisher.read(signal))?.annotations).toMatchObject({ 'kubernaut.io/shards': '2' });
    await publishParts('a');
    expect((await publisher.read(signal))?.annotations).not.toHaveProperty('kubernaut.io/shards');
  });

  test('a part with keys of others keeps their annotations', async () => {
    const text = await publishParts('a', 'b');
    const [main = '', part = ''] = text.split('---\n');
    const theirs = part
      .replace('\ndata:\n', '\ndata:\n  note: mine\n')
      .replace('annotations:\n', 'annotations:\n    note: theirs\n');
    await writeFile(path, `${main}---\n${theirs}`);
    await publishParts('c');
    const [, kept] = loadAll(await readFile(path, 'utf8')) as { metadata: object }[];
    expect(kept?.metadata).toMatchObject({ annotations: { note: 'theirs' } });
    expect(kept?.metadata).not.toHaveProperty(['annotations', 'kubernaut.io/last-updated']);
  });

  test('are rejected for a JSON file, which has only one', async () => {
    await writeFile(path, JSON.stringify({ kind: 'ConfigMap', metadata: { name: target.name }, data: {} }));
    const planned = plan({ ...parts('a', 'b') }, await publisher.read(signal), '1');
    const refused = await publisher.apply(planned, now, signal).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ShardsRefused);
    expect(refused).toMatchObject({ most: 1 });
    const isUsable = () => publisher.isUsable?.(refused as ShardsRefused, signal);
    expect(await isUsable()).toBe(false);
    const text = await readFile(path, 'utf8');
    await rm(path);
    expect(await isUsable()).toBe(true);
    await writeFile(path, text);
    await publishParts('a');
    expect(JSON.parse(await readFile(path, 'utf8')).data['toolset.json']).toBe('a');
  });

  test.each<[string, (text: string) => string]>([
    [
      "another toolset's",
      (text) => text.replace('kubernaut.io/configmap: kubernaut', 'kubernaut.io/configmap: other'),
    ],
    ['one without a number', (text) => text.replace(/ *kubernaut.io\/shard: "2"\n/, '')],
    ['one twice', (text) => `${text}---${text.split('---')[1]}`],
  ])('a file with more than ours is left alone: %s', async (_, change) => {
    const text = change(await publishParts('a', 'b'));
    await writeFile(path, text);
    expect((await failure(publisher.read(signal))).message).toMatch(/document [23] is something else/);
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

test('of two that publish at once, one plans again', async () => {
  await publish();
  const live = await publisher.read(signal);
  const next = (text: string) =>
    plan({ ...generated, documents: { ...generated.documents, 'toolset.json': text } }, live, '1');
  const done = await Promise.allSettled(
    ['{"tools":[1]}\n', '{"tools":[2]}\n'].map((text) => publisher.apply(next(text), now, signal)),
  );
  expect(done.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const [failed] = done.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  expect(failed).toBeInstanceOf(PublishConflict);
});

test.each(['a FIFO', 'a device'])('%s is rejected at once', async (what) => {
  if (what === 'a FIFO') execFileSync('mkfifo', [path]);
  const out = what === 'a FIFO' ? path : '/dev/null';
  const error = await failure(publisherOf(out).read(signal));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe(`cannot read ${out}: it is a FIFO or a device; choose another file with --out`);
});

describe('what others wrote since the plan was made', () => {
  const other = { ...generated, documents: { ...generated.documents, 'toolset.json': '{}\n' } };

  test.each([
    ['overrides', async () => await publish(), `${MANIFEST}\n`],
    ['a file', async () => {}, MANIFEST],
  ])('is kept, and the plan is made again: %s', async (_, before, text) => {
    await before();
    const planned = plan({ ...other, overrides: '# old' }, await publisher.read(signal), '1');
    await writeFile(path, text);
    await expect(publisher.apply(planned, now, signal)).rejects.toBeInstanceOf(PublishConflict);
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

test('a YAML mapping in braces keeps its comments', async () => {
  await writeFile(
    path,
    '{ kind: ConfigMap, # mine\n  metadata: { name: x }, data: { overrides.yaml: a } }\n',
  );
  const text = await publish();
  expect(text).toContain('# mine');
  expect(parse(text).data).toEqual({ 'overrides.yaml': 'a', ...generated.documents });
});

test('a name or namespace that is replaced is told, and one that is missing is not', async () => {
  const lines: string[] = [];
  publisher = publisherOf(path, (line) => lines.push(line));
  await writeFile(path, 'kind: ConfigMap\nmetadata:\n  labels: {}\n');
  const text = await publish();
  expect(lines).toEqual([]);
  await writeFile(
    path,
    text.replace(`name: ${target.name}\n`, 'name: mine\n').replace('services: "0"', 'services: "1"'),
  );
  await publish();
  expect(lines).toEqual([
    `${path}: replaced the name "mine" by "kubernaut-toolset-config", as in the settings`,
  ]);
});
