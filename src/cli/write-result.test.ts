import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { loadAll } from 'js-yaml';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { FindingsError } from '../model/errors.ts';
import { plan } from '../planning/plan.ts';
import type { ConfigMapName } from '../publishers/config-map/config-map.ts';
import { filePublisher } from '../publishers/file/file-publisher.ts';
import { DOCUMENT_FORMATS } from './choices.ts';
import { generateCommand } from './generate.ts';
import { writeResult } from './write-result.ts';

const service = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, labels: { app: loki } }\nspec: { ports: [{ port: 3100 }] }\n`;

let folder: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'write-result-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  out = join(folder, 'out');
});

/** Runs `generate --out` for a Service of this name. @returns the file */
async function generated(format: (typeof DOCUMENT_FORMATS)[number], name: string): Promise<string> {
  const manifest = join(folder, 'services.yaml');
  await writeFile(manifest, service(name));
  await generateCommand({ format, out, filename: [manifest] }, cliContext().cli);
  return await readFile(out, 'utf8');
}

describe.each(DOCUMENT_FORMATS)('%s', (format) => {
  test('what generate wrote is replaced', async () => {
    await generated(format, 'first');
    const second = await generated(format, 'second');
    expect(second).not.toContain('first');
    await rm(out);
    expect(await generated(format, 'second')).toBe(second);
  });

  test('an empty file is written', async () => {
    await writeFile(out, '\n');
    expect(await generated(format, 'loki')).not.toBe('\n');
  });

  test.each([
    ['a script', '#!/bin/sh\necho hello\n'],
    ['overrides', 'tools:\n  shop/orders:\n    approved: true\n'],
    ['values of a chart', 'image: { tag: v1 }\ntoolsets: { a: { enabled: true } }\n'],
    ['a manifest of others', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { a: b }\n'],
    ['no YAML', 'a: [\n'],
  ])('%s is left alone', async (_, text) => {
    await writeFile(out, text);
    const running = generated(format, 'loki');
    await expect(running).rejects.toBeInstanceOf(FindingsError);
    await expect(running).rejects.toThrow(
      /^[^\n]*out already exists and is not what generate writes \([^\n]+\), so it is left alone; delete it, or choose another file with --out$/,
    );
    expect(await readFile(out, 'utf8')).toBe(text);
  });

  test('the file of a symbolic link is written, even if it is not there yet', async () => {
    const target = join(folder, 'target');
    await symlink('target', out);
    for (const name of ['first', 'second']) {
      const text = await generated(format, name);
      expect(await readFile(target, 'utf8')).toBe(text);
    }
    expect(await readlink(out)).toBe('target');
  });
});

const CHANGED = 'it was changed since generate wrote it; overrides.yaml is the place for changes';

test.each([
  ['a comment at its end', (text: string) => `${text}# of ours`],
  [
    'a comment after a value',
    (text: string) => text.replace(/(?<=enabled: true|kind: ConfigMap)$/m, ' # of ours'),
  ],
  ['another value', (text: string) => text.replace(/loki/, 'tempo')],
  ['a value in another case', (text: string) => text.replace('true', 'True')],
  ['one more line', (text: string) => text.replace(/\n(?=\S+:)/, '\nmine: true\n')],
  ['a note in its first line', (text: string) => text.replace('\n', ' Ask the platform team.\n')],
  ['other words in its first line', (text: string) => text.replace('keep your own content', 'keep it')],
  ['one line less', (text: string) => text.replace(/\n[^\n]*\n$/, '\n')],
])('a YAML file that got %s is left alone', async (_, edit) => {
  for (const format of ['holmesgpt', 'configmap'] as const) {
    await rm(out, { force: true });
    const before = await generated(format, 'loki');
    const text = edit(before);
    await writeFile(out, text);
    await expect(generated(format, 'loki')).rejects.toThrow(CHANGED);
    expect(await readFile(out, 'utf8')).toBe(text);
  }
});

test('a YAML file that got a comment above it is left alone', async () => {
  const text = `# of ours\n${await generated('holmesgpt', 'loki')}`;
  await writeFile(out, text);
  await expect(generated('holmesgpt', 'loki')).rejects.toThrow(
    'its first line does not say that generate wrote it',
  );
});

test.each([
  ['other line breaks', (text: string) => text.replaceAll('\n', '\r\n')],
  ['no line break at its end', (text: string) => text.trimEnd()],
])('a YAML file that only got %s is replaced', async (_, edit) => {
  for (const format of ['holmesgpt', 'configmap'] as const) {
    await rm(out, { force: true });
    await writeFile(out, edit(await generated(format, 'loki')));
    expect(await generated(format, 'tempo')).toContain('tempo');
  }
});

test('a HolmesGPT file that a person wrote is left alone', async () => {
  const text = 'toolsets:\n  mine:\n    type: http\n    config: {endpoints: [{hosts: [a.b]}]}\n';
  await writeFile(out, text);
  await expect(generated('holmesgpt', 'loki')).rejects.toThrow(
    'out already exists and is not what generate writes (its first line does not say that generate wrote it), so it is left alone',
  );
  expect(await readFile(out, 'utf8')).toBe(text);
});

test('a toolset.json that a person laid out is left alone', async () => {
  const text = JSON.stringify(JSON.parse(await generated('toolset-json', 'loki')), null, '\t');
  await writeFile(out, text);
  await expect(generated('toolset-json', 'loki')).rejects.toThrow(
    'its JSON is not laid out as generate does',
  );
  expect(await readFile(out, 'utf8')).toBe(text);
});

/** Where a HolmesGPT file or a manifest gets a line of its own. */
const after = (line: string, added: string) => (text: string) =>
  text.replace(`\n${line}\n`, `\n${line}\n${added}\n`);

test.each([
  ['data.overrides.yaml', after('data:', '  overrides.yaml: "{}"')],
  ['immutable', after('kind: ConfigMap', 'immutable: true')],
  ['binaryData', after('kind: ConfigMap', 'binaryData: { a: AAAA }')],
  ['metadata.finalizers', after('metadata:', '  finalizers: [a/b]')],
  ['metadata.labels.team', after('  labels:', '    team: sre')],
  ['metadata.annotations.note', after('  annotations:', '    note: mine')],
])('a ConfigMap with a %s of others is left alone', async (_, edit) => {
  const text = edit(await generated('configmap', 'loki'));
  await writeFile(out, text);
  await expect(generated('configmap', 'loki')).rejects.toThrow(CHANGED);
  expect(await readFile(out, 'utf8')).toBe(text);
});

test('a ConfigMap from the cluster is left alone', async () => {
  const text = (await generated('configmap', 'loki')).replace(/^#.*\n/, '');
  await writeFile(out, text);
  await expect(generated('configmap', 'loki')).rejects.toThrow(
    'its first line does not say that generate wrote it',
  );
  expect(await readFile(out, 'utf8')).toBe(text);
});

test('a file that serve publishes to since is left alone, and keeps its first line', async () => {
  const before = await generated('configmap', 'loki');
  const [document] = loadAll(before) as [{ metadata: ConfigMapName; data: Record<string, string> }];
  const publisher = filePublisher(out, document.metadata, undefined, { usual: 0, unfinished: 0 });
  const live = await publisher.read(new AbortController().signal);
  const documents = { ...document.data, 'toolset.json': '{}\n' };
  await publisher.apply(plan({ documents, tools: [] }, live, '1'), new Date(0), new AbortController().signal);
  const text = await readFile(out, 'utf8');
  expect(text.split('\n')[0]).toBe(before.split('\n')[0]);
  await expect(generated('configmap', 'loki')).rejects.toThrow(CHANGED);
});

test('ConfigMaps of a divided toolset are replaced', async () => {
  const services = Array.from({ length: 90 }, (_, n) => service(`loki-${n}`)).join('---\n');
  const run = async () => {
    await writeFile(join(folder, 'services.yaml'), services);
    const env = { MAX_DOCUMENT_KIB: '32', MAX_TOOLS_PER_NAMESPACE: '100' };
    const { cli } = cliContext({ env });
    await generateCommand({ format: 'configmap', out, filename: [join(folder, 'services.yaml')] }, cli);
    return await readFile(out, 'utf8');
  };
  const first = await run();
  expect(first).toContain('\n---\n');
  expect(await run()).toBe(first);
});

test('standard output has no first line of ours', async () => {
  const { cli, written } = cliContext();
  await writeFile(join(folder, 'services.yaml'), service('loki'));
  await generateCommand({ format: 'configmap', filename: [join(folder, 'services.yaml')] }, cli);
  expect(written.result).toMatch(/^apiVersion: v1\n/);
});

test('a text that others write meanwhile is kept', async () => {
  const text = await generated('holmesgpt', 'loki');
  const running = writeResult(text, out, () => void writeFileSync(out, 'toolsets: {}\n'), cliContext().cli);
  await expect(running).rejects.toThrow(/^cannot write .*out: it changed while it was edited; name a/);
  expect(await readFile(out, 'utf8')).toBe('toolsets: {}\n');
});

test('a FIFO gets the text', async () => {
  execFileSync('mkfifo', [out]);
  const reader = spawn('cat', [out]);
  const writing = writeResult('a text', out, () => undefined, cliContext().cli);
  expect(await textOf(reader.stdout)).toBe('a text');
  await writing;
});

test('a signal ends the wait for a reader of a FIFO', async () => {
  execFileSync('mkfifo', [out]);
  const stop = new AbortController();
  const cli = { ...cliContext().cli, signal: stop.signal };
  const writing = writeResult('a text', out, () => undefined, cli);
  setTimeout(() => stop.abort(), 200);
  await expect(writing).rejects.toThrow('aborted');
});

test.each(['/dev/stdout', '/dev/fd/1'])('%s is standard output', async (path) => {
  const { cli, written } = cliContext();
  await writeResult('a text', path, () => 'not ours', cli);
  expect(written.result).toBe('a text');
});

test('a folder is an error, and a device is written', async () => {
  await mkdir(out);
  await expect(generated('holmesgpt', 'loki')).rejects.toThrow(/^cannot write .*out: it is a folder; name/);
  out = '/dev/null';
  expect(await generated('holmesgpt', 'loki')).toBe('');
});

test('what is wrong with a toolset.json that is no JSON is said with its place', async () => {
  const text = `// of ours\n${await generated('toolset-json', 'loki')}`;
  await writeFile(out, text);
  await expect(generated('toolset-json', 'loki')).rejects.toThrow(
    /not what generate writes \(line 1, column 1: /,
  );
  expect(await readFile(out, 'utf8')).toBe(text);
});
