import { spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

describe.each(['', '1'])('texts from files, with FORCE_COLOR=%j', (FORCE_COLOR) => {
  const run = async (args: readonly string[], text: string) => {
    const file = join(await mkdtemp(join(tmpdir(), 'terminal-')), 'overrides.yaml');
    await writeFile(file, text);
    const { stdout, stderr } = spawnSync(process.execPath, [inject('program'), ...args, file], {
      encoding: 'utf8',
      env: { FORCE_COLOR },
    });
    const all = stdout + stderr;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
    expect(all.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[^\P{Cc}\n\t]|\p{Cf}|\p{Zl}/u);
    return all;
  };

  test('in validate', async () => {
    expect(await run(['validate'], '"x\\e[31m": 1\n"\\u009b\\u202e": 2\n')).toMatch(/x\\u\{1b\}\[31m/);
    await run(['validate'], 'tools: { "\\e[31m": { enabled: "\\e[31m" }, [\u202e]: 1 }\n');
    await run(['validate', '--kind', 'holmesgpt'], 'toolsets: { "\\e[31m": { "\\u202e": 1 } }\n');
    await run(['validate', '--kind', 'overrides'], 'a: |\u009b31m\n');
  });

  test.each(['table', 'wide', 'json', 'yaml', 'name'])('in discover -o %s', async (format) => {
    const service = (name: string, extra: object) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, ...extra },
        spec: { ports: [{ port: 9090 }] },
      });
    const owner = {
      annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': '\u009b31mx\u202e' },
    };
    const list = `${service('a\u009b31m\u202e', {})}\n---\n${service('p', owner)}\n---\n${service('q', { labels: { app: 'prometheus' } })}\n`;
    const said = await run(['discover', '--probe', 'none', '-o', format, '-f'], list);
    expect(said).toMatch(/\\u\{?009b|\\u\{9b\}|\\u009b/);
  });
});

test('health is coloured on a terminal', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'p', labels: { app: 'prometheus' } },
    spec: { ports: [{ port: 9090 }] },
  };
  const { stdout } = spawnSync(
    process.execPath,
    [inject('program'), 'discover', '--probe', 'none', '-f', '-'],
    {
      encoding: 'utf8',
      input: JSON.stringify(service),
      env: { FORCE_COLOR: '1' },
    },
  );
  expect(stdout).toContain(styleText('yellow', 'unknown', { validateStream: false }));
});
