import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { ConfigError } from '../model/errors.ts';
import { DOCUMENT_FORMATS } from './choices.ts';
import { generateCommand } from './generate.ts';

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
    const first = await generated(format, 'first');
    expect(first).toContain('first');
    const second = await generated(format, 'second');
    expect(second).toContain('second');
    expect(second).not.toContain('first');
  });

  test('an empty file is written', async () => {
    await writeFile(out, '\n');
    expect(await generated(format, 'loki')).toContain('loki');
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
    await expect(running).rejects.toBeInstanceOf(ConfigError);
    await expect(running).rejects.toThrow(
      /^[^\n]*out is there and is not what generate writes \([^\n]+\), so it is left alone; delete it, or name another file with --out$/,
    );
    expect(await readFile(out, 'utf8')).toBe(text);
  });

  test('the file of a symbolic link is written, even if it is not there yet', async () => {
    const target = join(folder, 'target');
    await symlink('target', out);
    expect(await generated(format, 'first')).toContain('first');
    expect(await generated(format, 'second')).toContain('second');
    expect(await readFile(target, 'utf8')).toContain('second');
    expect(await readlink(out)).toBe('target');
  });
});

test('a ConfigMap with data of others is left alone', async () => {
  const text = await generated('configmap', 'loki');
  const mixed = text.replace('\ndata:\n', '\ndata:\n  overrides.yaml: "{}"\n');
  await writeFile(out, mixed);
  await expect(generated('configmap', 'loki')).rejects.toThrow('it has data keys of others');
  expect(await readFile(out, 'utf8')).toBe(mixed);
});

test('a folder is an error, and a device is written', async () => {
  await mkdir(out);
  await expect(generated('holmesgpt', 'loki')).rejects.toThrow(/^cannot write .*out: EISDIR/);
  out = '/dev/null';
  expect(await generated('holmesgpt', 'loki')).toBe('');
});
