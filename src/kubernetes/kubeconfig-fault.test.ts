import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../model/errors.ts';
import { connect } from './connection.ts';

interface Given {
  readonly cluster?: object;
  readonly user?: object;
}

/** Connects with a kubeconfig, or gives the error. */
async function connected({ cluster, user }: Given): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kubeconfig = join(folder, 'config');
  const config = {
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'prod', user: 'me' } }],
    clusters: [{ name: 'prod', cluster: { server: 'https://a:6443', ...cluster } }],
    users: [{ name: 'me', user: user ?? {} }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  try {
    return connect({ kubeconfig, origin: '/home/me/config', context: undefined });
  } catch (error) {
    return error;
  }
}

const SERVER = 'cluster "prod": server is not a URL with http or https and a host';

test.each<[Given, string]>([
  [{ cluster: { server: 'not a url' } }, SERVER],
  [{ cluster: { server: 'http://' } }, SERVER],
  [{ cluster: { server: 'ftp://a' } }, SERVER],
  [{ cluster: { server: '10.0.0.1:6443' } }, SERVER],
  [{ cluster: { server: 7 } }, 'the server of each cluster is a string'],
  [
    { cluster: { 'tls-server-name': 5 } },
    'cluster "prod": tls-server-name must be a string, but is a number',
  ],
  [
    { cluster: { 'certificate-authority-data': 5 } },
    'certificate-authority-data must be a string, but is a number',
  ],
  [
    { cluster: { 'proxy-url': 'nonsense' } },
    'cluster "prod": proxy-url is not a URL with http, https or socks5',
  ],
  [{ cluster: { 'proxy-url': 5 } }, 'cluster "prod": proxy-url must be a string, but is a number'],
  [
    { user: { 'auth-provider': { name: 'gcp' } } },
    'user "me": auth-provider.name is not supported, except for oidc',
  ],
  [{ user: { 'auth-provider': { name: 'oidc' } } }, 'user "me": auth-provider.config is missing'],
  [{ user: { exec: { command: 7 } } }, 'user "me": exec.command must be a string, but is a number'],
  [{ user: { exec: { command: '' } } }, 'user "me": exec.command must have at least 1 character'],
  [
    { user: { exec: { command: 'a', args: [7] } } },
    'user "me": exec.args.0 must be a string, but is a number',
  ],
  [{ user: { exec: { command: 'a', env: {} } } }, 'user "me": exec.env must be a list, but is a mapping'],
  [{ user: { token: 'QZXJ\n1234' } }, 'user "me": token has a line break'],
  [{ user: { token: 5 } }, 'user "me": token must be a string, but is a number'],
  [{ user: { as: 'a\nb' } }, 'user "me": as has a line break'],
])('%j is a fault of the kubeconfig in one line', async (given, what) => {
  const error = await connected(given);
  expect(error).toBeInstanceOf(ConfigError);
  const { message } = error as ConfigError;
  expect(message).toContain(what);
  expect(message).toMatch(/^[^\n]*\/home\/me\/config[^\n]*; [^\n]*--(context|kubeconfig)[^\n]*$/);
  expect(message).not.toMatch(/QZXJ|function|undefined/);
});

test.each<Given>([
  {},
  { cluster: { server: 'http://localhost:8001/prefix/', 'tls-server-name': '', 'proxy-url': '' } },
  { cluster: { 'proxy-url': 'socks5://localhost:1080', 'tls-server-name': 'a' } },
  { user: { token: 'a.b-c_d' } },
  { user: { token: ' a \n' } },
  { user: { username: 'a', password: 5 } },
  { user: { exec: { command: 'aws', args: null, env: [{ name: 'A', value: 'b' }] } } },
  { user: { exec: { command: 'aws', args: ['eks'], env: null, interactiveMode: 'Never' } } },
  { user: { 'auth-provider': { name: 'oidc', config: { 'id-token': 'a' } } } },
])('%j is fine', async (given) => {
  expect(await connected(given)).toHaveProperty('server');
});

test('a FIFO is rejected, since no signal could end the wait for its writer', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [kubeconfig, fifo] = [join(folder, 'config'), join(folder, 'fifo')];
  await writeFile(kubeconfig, '{}');
  execFileSync('mkfifo', [fifo]);
  // The test itself reads the file only: without the check, it would hang.
  const origin = [kubeconfig, fifo].join(delimiter);
  const connecting = () => connect({ kubeconfig, origin, context: undefined });
  expect(connecting).toThrow(ConfigError);
  expect(connecting).toThrow(`cannot read the kubeconfig ${origin}: ${fifo} is a FIFO; choose another`);
});
