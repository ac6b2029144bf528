import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, rootCertificates } from 'node:tls';
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { costlyChain } from '../../bench/hostile/costly-chain.ts';
import { HandshakeScreen } from '../../src/model/handshake-screen.ts';
import { oddityOf } from '../../src/model/ordinary-chain.ts';
import { directFetch } from '../../src/probing/direct.ts';
import { candidate } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';

type Algorithm = webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | { readonly name: 'Ed25519' };
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2_048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

async function certificate(algorithm: Algorithm): Promise<Buffer> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=x, O=Ä long name of an organisation',
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2045-01-01'),
    signingAlgorithm: { name: algorithm.name, hash: 'SHA-256' },
    keys,
  });
  return Buffer.from(made.rawData);
}

const ORDINARY = {
  'RSA 2048': RSA,
  'RSA 4096': { ...RSA, modulusLength: 4_096 },
  'P-256': { name: 'ECDSA', namedCurve: 'P-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521' },
  Ed25519: { name: 'Ed25519' },
} satisfies Record<string, Algorithm>;
const made = new Map<string, Buffer>();
let costly: Buffer[] = [];
beforeAll(async () => {
  for (const [name, algorithm] of Object.entries(ORDINARY)) made.set(name, await certificate(algorithm));
  const { cert } = await costlyChain(1);
  costly =
    cert.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g)?.map((pem) => new X509Certificate(pem).raw) ??
    [];
});
const ordinary = (name: keyof typeof ORDINARY): Buffer => made.get(name) ?? Buffer.alloc(0);

const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  const length = Buffer.from([0x82, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from([tag]), length, content]);
};
const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const id = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const number = (bytes: number): Buffer => der(0x02, Buffer.alloc(bytes, 1));
const EMPTY = sequence();
const hasOrdinaryKey = (certificate: Buffer): boolean => oddityOf([certificate]) === undefined;

/** A certificate with a public key, as far as it is read. */
const withKey = (algorithm: Buffer, key: Buffer, version = der(0xa0, number(1))): Buffer =>
  sequence(
    sequence(
      version,
      number(1),
      EMPTY,
      EMPTY,
      EMPTY,
      EMPTY,
      sequence(algorithm, der(0x03, Buffer.from([0]), key)),
    ),
    EMPTY,
    der(0x03, Buffer.from([0])),
  );
const RSA_ID = id('2a864886f70d010101');
const EC_ID = id('2a8648ce3d0201');

describe('the public key of a certificate', () => {
  test.each(Object.keys(ORDINARY) as (keyof typeof ORDINARY)[])('is ordinary: %s', (name) => {
    expect(hasOrdinaryKey(ordinary(name))).toBe(true);
  });

  test.each<[string, Buffer, boolean]>([
    ['RSA with 8192 bits', withKey(sequence(RSA_ID), sequence(number(1_024), number(3))), true],
    ['RSA with 8200 bits', withKey(sequence(RSA_ID), sequence(number(1_026), number(3))), false],
    ['RSA with a long exponent', withKey(sequence(RSA_ID), sequence(number(384), number(6))), false],
    ['RSA in version 1', withKey(sequence(RSA_ID), sequence(number(256), number(3)), Buffer.alloc(0)), true],
    ['a named curve', withKey(sequence(EC_ID, id('2a8648ce3d030107')), Buffer.alloc(65)), true],
    ['another named curve', withKey(sequence(EC_ID, id('2b81040027')), Buffer.alloc(65)), false],
    ['explicit parameters', withKey(sequence(EC_ID, sequence(number(1))), Buffer.alloc(65)), false],
    ['no parameters', withKey(sequence(EC_ID), Buffer.alloc(65)), false],
    ['DSA', withKey(sequence(id('2a8648ce380401'), sequence()), number(128)), false],
    ['more behind the certificate', Buffer.concat([withKey(sequence(RSA_ID), EMPTY), EMPTY]), false],
    ['an indefinite length', Buffer.from([0x30, 0x80, 0, 0]), false],
    ['nothing', Buffer.alloc(0), false],
  ])('%s', (_, certificate_, expected) => {
    expect(hasOrdinaryKey(certificate_)).toBe(expected);
  });

  test('is extraordinary with an exponent as long as its modulus', () => {
    expect(costly).toHaveLength(2);
    expect(costly.map(hasOrdinaryKey)).toEqual([true, false]);
  });

  test('is ordinary for OpenSSL too, whatever is changed in a certificate', () => {
    const names = Object.keys(ORDINARY) as (keyof typeof ORDINARY)[];
    const edit = fc.record({ at: fc.nat(), value: fc.nat(255) });
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(edit, { maxLength: 3 }), (name, edits) => {
        const changed = Buffer.from(ordinary(name));
        for (const { at, value } of edits) changed[at % changed.length] = value;
        if (!hasOrdinaryKey(changed)) return;
        let key: X509Certificate['publicKey'];
        try {
          key = new X509Certificate(changed).publicKey;
        } catch {
          return;
        }
        read++;
        const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
        expect(modulusLength).toBeLessThanOrEqual(8_192);
        expect(publicExponent).toBeLessThan(1n << 40n);
        expect([undefined, 'prime256v1', 'secp384r1', 'secp521r1']).toContain(namedCurve);
      }),
      { numRuns: 3_000 },
    );
    expect(read).toBeGreaterThan(500);
  });
});

const P256 = sequence(sequence(EC_ID, id('2a8648ce3d030107')), der(0x03, Buffer.alloc(66)));
const attribute = sequence(id('550403'), der(0x0c, Buffer.from('x')));
const named = (parts: number, inSet = 1): Buffer =>
  sequence(
    ...Array.from({ length: Math.ceil(parts / inSet) }, () =>
      der(0x31, ...Array.from({ length: inSet }, () => attribute)),
    ),
  );
const extension = (oid: string, value: Buffer, ...flags: readonly Buffer[]): Buffer =>
  sequence(id(oid), ...flags, der(0x04, value));
const times = (count: number, each: Buffer): Buffer[] => Array.from({ length: count }, () => each);
const CRITICAL = der(0x01, Buffer.from([0xff]));
const DNS = der(0x82, Buffer.from('x'));
const point = (...fields: readonly Buffer[]): Buffer => sequence(...fields);
const FULL = der(0xa0, der(0xa0, der(0x86, Buffer.from('http://x'))));
const RELATIVE = der(0xa0, der(0xa1));
const points = (...all: readonly Buffer[]): Buffer => extension('551d1f', sequence(...all));
const alternatives = (count: number): Buffer => extension('551d11', sequence(...times(count, DNS)));
const constraints = (permitted: number, excluded: number): Buffer =>
  extension(
    '551d1e',
    sequence(der(0xa0, ...times(permitted, sequence(DNS))), der(0xa1, ...times(excluded, sequence(DNS)))),
  );
/** A certificate with these extensions, and fields before them. */
const withExtensions = (
  extensions: readonly Buffer[],
  { issuer = EMPTY, subject = EMPTY, ids = [] as Buffer[] } = {},
) =>
  sequence(
    sequence(
      der(0xa0, number(1)),
      number(1),
      EMPTY,
      issuer,
      EMPTY,
      subject,
      P256,
      ...ids,
      ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
    ),
    EMPTY,
    der(0x03, Buffer.from([0])),
  );

describe('a chain of certificates', () => {
  test('is ordinary: the authorities of Node.js', () => {
    const oddities = rootCertificates.map((pem) => oddityOf([new X509Certificate(pem).raw]));
    expect(oddities.length).toBeGreaterThan(50);
    expect(oddities.filter((oddity) => oddity !== undefined)).toEqual([]);
  });

  test.each<[string, Buffer[]]>([
    ['ten certificates', times(10, withExtensions([]))],
    ['names of 32 parts', [withExtensions([], { issuer: named(32), subject: named(32, 16) })]],
    ['32 extensions', [withExtensions(times(32, extension('551d0f', number(1), CRITICAL)))]],
    [
      '16 points with full names',
      [withExtensions([points(...times(16, point(FULL, der(0x81), der(0xa2))))])],
    ],
    [
      '256 alternative names and 32 constraints',
      [withExtensions([alternatives(256)]), withExtensions([constraints(16, 16)])],
    ],
    ['ids of issuer and subject', [withExtensions([points()], { ids: [der(0x81), der(0x82)] })]],
  ])('is ordinary with %s', (_, all) => {
    expect(oddityOf(all)).toBeUndefined();
  });

  test.each<[string, Buffer[], RegExp]>([
    ['11 certificates', times(11, withExtensions([])), /^has more than 10 certificates$/],
    [
      'an issuer of 33 parts',
      [withExtensions([], { issuer: named(33) })],
      /name, or one with more than 32 parts/,
    ],
    [
      'a subject of 34 parts in two sets',
      [withExtensions([], { subject: named(34, 17) })],
      /more than 32 parts/,
    ],
    ['a set of 33 parts', [withExtensions([], { issuer: named(33, 33) })], /more than 32 parts/],
    ['33 extensions', [withExtensions(times(33, extension('551d0f', number(1))))], /more than 32$/],
    ['a point relative to the issuer', [withExtensions([points(point(FULL), point(RELATIVE))])], /points/],
    [
      'the same in the newest list',
      [withExtensions([extension('551d2e', sequence(point(RELATIVE)))])],
      /points/,
    ],
    ['17 points', [withExtensions([points(...times(17, point(FULL)))])], /points/],
    ['an unknown field of a point', [withExtensions([points(point(der(0xa1, RELATIVE)))])], /points/],
    [
      'a second list of points',
      [withExtensions([extension('551d1f', Buffer.concat([sequence(), sequence()]))])],
      /points/,
    ],
    ['257 alternative names', [withExtensions([alternatives(257)])], /more than 256$/],
    [
      '257 in two certificates',
      [withExtensions([alternatives(200)]), withExtensions([alternatives(57)])],
      /more than 256 alternative names$/,
    ],
    ['33 constraints', [withExtensions([constraints(16, 17)])], /more than 32 name constraints$/],
    ['33 in one list', [withExtensions([constraints(33, 0)])], /more than 32$/],
    [
      'a proxy certificate',
      [withExtensions([extension('2b0601050507010e', sequence())])],
      /servers do not have/,
    ],
    [
      'addresses of networks',
      [withExtensions([extension('2b06010505070107', sequence())])],
      /servers do not have/,
    ],
    [
      'an extension in pieces',
      [withExtensions([sequence(id('551d1f'), der(0x24, der(0x04, sequence())))])],
      /malformed extension/,
    ],
    [
      'an extension with two values',
      [withExtensions([sequence(id('551d0f'), der(0x04), der(0x04))])],
      /malformed extension/,
    ],
    [
      'extensions twice',
      [withExtensions([], { ids: [der(0xa3, sequence()), der(0xa3, sequence())] })],
      /unknown field/,
    ],
    ['an id in pieces', [withExtensions([], { ids: [der(0xa1, der(0x03))] })], /unknown field/],
    ['four parts', [sequence(sequence(), sequence(), der(0x03), der(0x03))], /malformed structure/],
  ])('is extraordinary with %s', (_, all, expected) => {
    expect(oddityOf(all)).toMatch(expected);
  });

  test('is read in full by OpenSSL if it is ordinary: the same number of alternative names', async () => {
    const names = Array.from(
      { length: 40 },
      (_, index) => ({ type: 'dns', value: `x${index}.example.org` }) as const,
    );
    const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const made = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=x',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new SubjectAlternativeNameExtension(names), new BasicConstraintsExtension(true, 3, true)],
    });
    const raw = Buffer.from(made.rawData);
    expect(oddityOf([raw])).toBeUndefined();
    expect(oddityOf(times(7, raw))).toMatch(/more than 256 alternative names/);
    expect(new X509Certificate(raw).subjectAltName?.split(', ')).toHaveLength(40);
  });
});

const length = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};
const message = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type]), length(3, body.length), body]);
const record = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3]), length(2, body.length), body]);
const chain = (...certificates: readonly Buffer[]): Buffer => {
  const list = Buffer.concat(certificates.map((each) => Buffer.concat([length(3, each.length), each])));
  return message(11, Buffer.concat([length(3, list.length), list]));
};
const HELLO = message(2, Buffer.alloc(40));
const CHANGE = record(20, Buffer.from([1]));

describe('a handshake is read before OpenSSL', () => {
  const read = (chunks: readonly Buffer[], mustHave = true): string | undefined => {
    const screen = new HandshakeScreen(mustHave);
    return chunks.map((chunk) => screen.read(chunk)).find((fault) => fault !== undefined);
  };
  const good = () => chain(ordinary('P-256'), ordinary('RSA 2048'));
  const bad = () => chain(ordinary('P-256'), ...costly);

  test('an ordinary one, in any division into records and chunks', () => {
    const parts = Buffer.concat([HELLO, good()]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 700 }), (inRecord, inChunk) => {
        for (const [messages, fault] of [
          [parts, undefined],
          [Buffer.concat([HELLO, bad()]), 'has a certificate with an extraordinary public key'],
        ] as const) {
          const records: Buffer[] = [];
          for (let at = 0; at < messages.length; at += inRecord)
            records.push(record(22, messages.subarray(at, at + inRecord)));
          const all = Buffer.concat([...records, CHANGE, Buffer.alloc(100, 7)]);
          const chunks: Buffer[] = [];
          for (let at = 0; at < all.length; at += inChunk) chunks.push(all.subarray(at, at + inChunk));
          expect(read(chunks)).toBe(fault);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each<[string, () => Buffer[], boolean, RegExp | undefined]>([
    [
      'eleven certificates in two chains',
      () => {
        const six = chain(...Array.from({ length: 6 }, () => ordinary('P-256')));
        return [record(22, six), record(22, six)];
      },
      true,
      /more than 10 certificates/,
    ],
    ['a second chain', () => [record(22, good()), record(22, bad())], true, /extraordinary/],
    ['no certificate', () => [record(22, HELLO), CHANGE], true, /without a certificate/],
    ['no certificate of a client', () => [record(22, HELLO), CHANGE], false, undefined],
    ['an alert', () => [record(21, Buffer.from([2, 70]))], true, undefined],
    ['encrypted data first', () => [record(23, Buffer.alloc(9))], true, /not one of TLS 1\.2/],
    ['an unknown record', () => [record(99, Buffer.alloc(9))], true, /wrong version number/],
    ['HTTP', () => [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')], true, /wrong version number/],
    ['a malformed list', () => [record(22, message(11, Buffer.alloc(2)))], true, /malformed/],
    [
      'a list that ends early',
      () => [record(22, message(11, Buffer.from([0, 0, 2, 0, 0])))],
      true,
      /malformed/,
    ],
    [
      'certificates that are longer than the list',
      () => [record(22, message(11, Buffer.from([0, 0, 4, 0, 0, 9, 1])))],
      true,
      /malformed/,
    ],
    ['an empty list', () => [record(22, message(11, Buffer.from([0, 0, 0])))], false, undefined],
  ])('%s', (_, chunks, mustHave, expected) => {
    const fault = read(chunks(), mustHave);
    if (expected === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(expected);
  });
});

describe('a probe over TLS', () => {
  const prometheus = candidate(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
  const found = { ...prometheus, endpoint: { ...prometheus.endpoint, scheme: 'https' as const } };

  async function asking(port: number): Promise<unknown> {
    const to = new Map([[`${found.endpoint.host}:9090`, { host: '127.0.0.1', port }]]);
    return directFetch(to)(found, { path: '/' }, AbortSignal.timeout(5_000)).catch((error: unknown) => error);
  }

  test('does not let OpenSSL read a certificate with an extraordinary key', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(record(22, Buffer.concat([HELLO, chain(...costly)]))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    expect(await asking((server.address() as AddressInfo).port)).toMatchObject({
      kind: 'tls',
      message: 'its TLS handshake has a certificate with an extraordinary public key',
    });
  });

  test('says so if a server supports TLS 1.3 only, which says nothing about its health', async () => {
    const { cert, key } = await costlyChain(0);
    const server = createTlsServer({ cert, key, minVersion: 'TLSv1.3' }, () => {});
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    expect(await asking((server.address() as AddressInfo).port)).toMatchObject({
      kind: 'unreachable',
      message: 'it supports TLS 1.3 only, and probes use TLS 1.2',
    });
  });
});
