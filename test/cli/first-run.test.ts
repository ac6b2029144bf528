import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { EXIT } from '../../src/cli/exit.ts';

/** An API server that accepts no credentials, as after a token or a client certificate has expired. */
let strict: Server;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'first-run-'));
  strict = createServer((_, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ kind: 'Status', message: 'Unauthorized', reason: 'Unauthorized', code: 401 }),
    );
  });
  await new Promise<void>((listening) => strict.listen(0, '127.0.0.1', listening));
});

afterAll(() => {
  strict.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Kubeconfig {
  readonly server?: string;
  readonly user?: Record<string, unknown>;
  readonly current?: string;
  readonly userName?: string;
}

function kubeconfig({ server, user = { token: 'x' }, current = 'dev', userName = 'me' }: Kubeconfig): string {
  const path = join(folder, 'config.yaml');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'c', cluster: { server: server ?? 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'me', user }],
    contexts: [{ name: 'dev', context: { cluster: 'c', user: userName } }],
    'current-context': current,
  };
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** What the program says on standard error, and its exit code. */
async function said(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ readonly lines: readonly string[]; readonly code: number | null }> {
  const child = spawn(process.execPath, [inject('program'), ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [error, code] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((ended) => child.on('close', ended)),
  ]);
  return { lines: error.trimEnd().split('\n'), code };
}

/** One line, which says all that it should, and no stack. */
async function expectError(
  args: readonly string[],
  exit: number,
  parts: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { lines, code } = await said(args, env);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^error: /);
  for (const part of parts) expect(lines[0]).toContain(part);
  expect(code).toBe(exit);
}

const discover = (config: Kubeconfig): string[] => ['discover', '--kubeconfig', kubeconfig(config)];

describe('no cluster', () => {
  test('no kubeconfig at all', () =>
    expectError(['discover'], EXIT.usage, ['~/.kube/config', 'KUBECONFIG', '--kubeconfig', '-f']));

  test('a missing kubeconfig', () =>
    expectError(['discover'], EXIT.usage, ['/nowhere/config', 'no such file', '--kubeconfig'], {
      KUBECONFIG: '/nowhere/config',
    }));

  test('a file that is not a kubeconfig', async () => {
    const path = join(folder, 'broken.yaml');
    writeFileSync(path, 'clusters: [');
    await expectError(['discover', '--kubeconfig', path], EXIT.usage, [path, 'in line 1', 'choose another']);
  });

  test('no current context', () =>
    expectError(discover({ current: '' }), EXIT.usage, [
      'config.yaml',
      'current context',
      '--context (dev)',
    ]));

  test('a current context that does not exist', () =>
    expectError(discover({ current: 'gone' }), EXIT.usage, ['config.yaml', '"gone"', '--context (dev)']));

  test('a context that does not exist', () =>
    expectError([...discover({}), '--context', 'devv'], EXIT.usage, [
      'config.yaml',
      '"devv"',
      'did you mean dev?',
    ]));

  test('a context whose user does not exist', () =>
    expectError(discover({ userName: 'nobody' }), EXIT.usage, ['user "nobody"', 'context "dev"']));

  test('nothing listens', () =>
    expectError(discover({}), EXIT.cluster, [
      'https://127.0.0.1:1 (context dev of',
      'connection refused',
      'context',
      '-f',
    ]));

  test.each([
    ['approve', ['approve', 'shop/orders'], 'or edit a file with --file'],
    ['serve', ['serve', '--once'], 'or read manifests with -f, and publish to a file with --out'],
    ['diff', ['diff'], ''],
    ['rollback', ['rollback'], ''],
    ['history', ['history'], ''],
  ])('%s advises only what it can do', async (_, args, alternative) => {
    const reachless = [...args, '--kubeconfig', kubeconfig({})];
    for (const [words, exit] of [
      [args, EXIT.usage],
      [reachless, EXIT.cluster],
    ] as const) {
      const { lines, code } = await said(words);
      expect(code).toBe(exit);
      const last = lines.at(-1) ?? '';
      expect(last).toMatch(/^error: .*(no cluster is configured|is not reachable)/);
      if (alternative === '') expect(lines.join('\n')).not.toMatch(/ -f\b/);
      else expect(last).toContain(alternative);
    }
  });

  test('a name that does not resolve', () =>
    expectError(discover({ server: 'https://no-such-host.invalid:6443' }), EXIT.cluster, [
      'https://no-such-host.invalid:6443 (context dev of',
      'does not resolve',
    ]));

  test('a token that has expired', () =>
    expectError(
      discover({ server: `http://127.0.0.1:${(strict.address() as AddressInfo).port}` }),
      EXIT.cluster,
      ['Unauthorized', 'log in again', '(context dev of'],
    ));
});

describe('no credentials', () => {
  const exec = (command: string, ...args: string[]): Kubeconfig => ({
    user: {
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command, args, interactiveMode: 'Never' },
    },
  });

  test('the credential program is not installed', () =>
    expectError(discover(exec('no-such-auth-plugin')), EXIT.cluster, [
      'no credentials for https://127.0.0.1:1 (context dev of',
      'no-such-auth-plugin',
      'not in PATH',
    ]));

  test('the credential program fails, with many lines', () =>
    expectError(discover(exec('sh', '-c', 'echo one >&2; echo two >&2; exit 1')), EXIT.cluster, [
      'the program sh failed with "one two"',
      'log in again',
    ]));

  test('a missing certificate', () =>
    expectError(
      discover({ user: { 'client-certificate': '/nowhere/c.crt', 'client-key': '/nowhere/c.key' } }),
      EXIT.cluster,
      ['there is no file /nowhere/c.'],
    ));

  test('an invalid certificate', () =>
    expectError(
      discover({ user: { 'client-certificate-data': 'Zm9v', 'client-key-data': 'Zm9v' } }),
      EXIT.cluster,
      ['certificate or key', 'cannot be read', 'kubeconfig'],
    ));
});

describe('typos', () => {
  test.each([
    ['help of a command that is none', ['help', 'discovr'], 'Did you mean discover?'],
    ['completion of no shell', ['completion'], 'bash, zsh, fish'],
    ['completion of a shell that is not known', ['completion', 'powershell'], 'bash, zsh, fish'],
    ['the flag of another command', ['generate', '-f', 'demo/cluster', '-o', 'json'], '--format'],
    ['a file that is not there', ['validate', '/nowhere.yaml'], 'there is no such file'],
    ['a folder in place of a file', ['validate', '--kind', 'config', '/tmp'], 'it is a folder'],
    ['a folder that is not there', ['discover', '-f', '/nowhere'], 'there is no such file'],
  ] as const)('%s', async (_, args, part) => {
    const { lines, code } = await said(args);
    expect(lines[0]).toMatch(/^error: /);
    expect(lines.join('\n')).toContain(part);
    expect(lines.length).toBeLessThanOrEqual(3);
    expect(code).toBe(EXIT.usage);
  });

  test('for manifests without Services, it explains what is missing', async () => {
    writeFileSync(join(folder, 'empty.yaml'), 'kind: Deployment\n');
    const { lines, code } = await said(['discover', '-f', join(folder, 'empty.yaml')]);
    expect(lines.join('\n')).toMatch(/0 Services in .*empty\.yaml\.\n.*kind Service.*helm template/);
    expect(code).toBe(EXIT.ok);
  });
});

test('an old Node.js is reported at once, and does not look like a bug', async () => {
  const old = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.1.0'})";
  await expectError(
    ['discover', '-f', 'demo/cluster'],
    EXIT.usage,
    ['needs Node.js 24 or newer, and this is 20.1.0'],
    { NODE_OPTIONS: `--import=${old}` },
  );
});
