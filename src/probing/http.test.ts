import { describe, expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { type Answers, answering, type Backend, httpBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { probeSpec } from '../model/proof.ts';
import { directFetch } from './direct.ts';
import type { Fetch } from './fetch.ts';
import { type ProbeKind, probeHttp } from './http.ts';

const kind = (detector: string, path: string, spec: object = {}): ProbeKind => ({
  detector,
  title: detector,
  path,
  spec: probeSpec.parse(spec),
});

/** Prometheus as a kind that proves nothing, and kinds that do. */
const PLAIN = [kind('prometheus', '', { health: ['{base}/-/healthy'] })];
const PROVING = [
  kind('prometheus', '', {
    health: ['{base}/-/healthy', '{base}/ready'],
    unready: 'alive',
    proofs: [
      { all: [{ get: '{base}/buildinfo', json: { product: 'prometheus' } }] },
      { path: '/prometheus', all: [{ get: '{base}/buildinfo', json: { product: 'prometheus' } }] },
    ],
  }),
  kind('thanos', '', { proofs: [{ all: [{ get: '{base}/stores', json: { stores: { type: 'array' } } }] }] }),
  kind('weakling', '', { proofs: [{ weak: true, all: [{ get: '/weak' }] }] }),
];

const prometheus = candidate(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));

const probed = (
  backend: Backend,
  kinds: readonly ProbeKind[],
  of: Candidate = prometheus,
): Promise<Verdict> => probeHttp(of, kinds, directFetch(backend.standsFor(of)), AbortSignal.timeout(5_000));

async function verdict(answers: Answers, kinds: readonly ProbeKind[], of: Candidate = prometheus) {
  const backend = await answering(answers);
  return await probed(backend, kinds, of);
}

describe('health without proofs', () => {
  test.each<[number, Verdict['health'], boolean]>([
    [200, 'healthy', false],
    [204, 'healthy', false],
    [299, 'healthy', false],
    [401, 'healthy', true],
    [403, 'healthy', true],
    [302, 'unhealthy', false],
    [404, 'unhealthy', false],
    [429, 'unhealthy', false],
    [500, 'unhealthy', false],
    [503, 'unhealthy', false],
  ])('%i is %s, credentials required: %j', async (status, health, authRequired) => {
    const told = await verdict({ '/-/healthy': status }, PLAIN);
    expect(told).toMatchObject({ health, authRequired, proof: 'unproven' });
    expect(told.reason).toContain('/-/healthy');
    expect(told.reason).toContain(String(status));
  });

  test('a connection that is closed without a response is unhealthy, with the reason', async () => {
    const backend = await httpBackend((request) => request.socket.destroy());
    const told = await probed(backend, PLAIN);
    expect(told).toMatchObject({ health: 'unhealthy', reason: expect.stringContaining('closed') });
  });

  test('the path from the annotation replaces that of the detector', async () => {
    const backend = await answering({ '/status?full=1': 200 });
    const told = await probed(backend, PLAIN, { ...prometheus, healthPath: '/status?full=1' });
    expect(told.health).toBe('healthy');
    expect(backend.asked).toEqual(['GET /status?full=1']);
  });

  test('the base path precedes it', async () => {
    const backend = await answering({ '/prom/-/healthy': 200 });
    const endpoint = { ...prometheus.endpoint, path: '/prom' };
    expect((await probed(backend, PLAIN, { ...prometheus, endpoint })).health).toBe('healthy');
  });
});

describe('proof', () => {
  const PROOF = { product: 'prometheus' };

  test('its responses prove it, with one request per path', async () => {
    const backend = await answering({ '/-/healthy': 200, '/buildinfo': PROOF });
    const told = await probed(backend, PROVING);
    expect(told).toMatchObject({ health: 'healthy', proof: 'proven', authRequired: false });
    expect(told.provenAs).toBeUndefined();
    expect([...backend.asked].sort()).toEqual(['GET /-/healthy', 'GET /buildinfo']);
    expect(told.steps).toHaveLength(2);
  });

  test.each<[string, Answers, Partial<Verdict>]>([
    ['proven and dead', { '/-/healthy': 500, '/buildinfo': PROOF }, { health: 'unhealthy', proof: 'proven' }],
    [
      'proven and not ready yet, which for this kind is alive',
      { '/-/healthy': [503, 'starting'], '/buildinfo': PROOF },
      { health: 'healthy', proof: 'proven', reason: expect.stringContaining('starting') },
    ],
    [
      'where the first health path is not found, the next',
      { '/ready': 200, '/buildinfo': PROOF },
      { health: 'healthy', proof: 'proven' },
    ],
    [
      'at another base path',
      { '/-/healthy': 200, '/prometheus/buildinfo': PROOF },
      { health: 'healthy', proof: 'proven', path: '/prometheus' },
    ],
    [
      'another product that proves itself',
      { '/-/healthy': 200, '/stores': { stores: [] } },
      { health: 'healthy', proof: 'proven', provenAs: 'thanos' },
    ],
    [
      'nothing that proves anything',
      { '/-/healthy': 200, '/buildinfo': { product: 'shop' } },
      { health: 'unhealthy', proof: 'contradicted' },
    ],
    [
      'a proof too weak to change a type',
      { '/-/healthy': 200, '/weak': 200 },
      { health: 'unhealthy', proof: 'contradicted' },
    ],
    [
      'a proof behind a login',
      { '/-/healthy': 200, '/buildinfo': 401, '/prometheus/buildinfo': 401 },
      { health: 'healthy', proof: 'unproven', authRequired: true },
    ],
    [
      'all of it behind a login',
      { '/-/healthy': 403, '/buildinfo': 403, '/prometheus/buildinfo': 403 },
      { health: 'healthy', proof: 'unproven', authRequired: true },
    ],
    [
      'a login for health only',
      { '/-/healthy': 401, '/buildinfo': PROOF },
      { health: 'healthy', proof: 'proven', authRequired: true },
    ],
    [
      'broken, which disproves nothing',
      { '/-/healthy': 500, '/buildinfo': 500 },
      { health: 'unhealthy', proof: 'unproven' },
    ],
  ])('%s', async (_, answers, expected) => {
    const told = await verdict(answers, PROVING);
    expect(told).toMatchObject(expected);
    expect(told.reason).not.toBe('');
    expect(told.steps.length).toBeGreaterThan(0);
  });

  test("a backend's own text stays one short line", async () => {
    const told = await verdict({ '/-/healthy': [500, '\u001b[2J\n\u202e'.repeat(10_000)] }, PROVING);
    const texts = [told.reason, ...told.steps.map(({ answered }) => answered)];
    for (const text of texts) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(text.length).toBeLessThan(300);
    }
  });
});

test('only a little is remembered of a server with long responses to many paths', async () => {
  const kinds = [
    ...PROVING,
    ...Array.from({ length: 40 }, (_, n) =>
      kind(`other-${n}`, '', { proofs: [{ all: [{ get: `/path-${n}`, json: { a: n } }] }] }),
    ),
  ];
  let bytes = 0;
  const paths = new Set<string>();
  const fetch: Fetch = async (_, { path, limit = 0 }) => {
    paths.add(path);
    bytes += limit;
    return { status: 200, headers: {}, body: 'x'.repeat(limit) };
  };
  await probeHttp(prometheus, kinds, fetch, AbortSignal.timeout(5_000));
  expect(paths.size).toBeGreaterThan(40);
  expect(bytes).toBeLessThan(400_000);
});

describe('the scheme', () => {
  const overTls = { ...prometheus, endpoint: { ...prometheus.endpoint, scheme: 'https' as const } };

  test('a backend that looks like https but uses http is probed over http', async () => {
    const backend = await answering({ '/-/healthy': 200 });
    const told = await probed(backend, PLAIN, overTls);
    expect(told).toMatchObject({ health: 'healthy', scheme: 'http' });
    expect(backend.asked).toEqual(['GET /-/healthy']);
  });

  test('a backend that fails over both has the verdict of the first', async () => {
    const told = await verdict({ '/-/healthy': 500 }, PLAIN, overTls);
    expect(told.health).toBe('unhealthy');
    expect(told.scheme).toBeUndefined();
  });

  test('one that responds as expected is probed with one scheme only', async () => {
    const backend = await answering({ '/-/healthy': 200 });
    expect((await probed(backend, PLAIN)).scheme).toBeUndefined();
    expect(backend.asked).toHaveLength(1);
  });

  test('an unrelated error changes nothing', async () => {
    const backend = await answering({ '/-/healthy': [400, 'bad request'] });
    expect(await probed(backend, PLAIN)).toMatchObject({ health: 'unhealthy' });
    expect(backend.asked).toHaveLength(1);
  });
});

/** Answers, and redirects from some paths, or from all others with `*`. */
const moved = (answers: Answers, redirects: Readonly<Record<string, string>>) =>
  httpBackend((request, response) => {
    const { url = '' } = request;
    const location = redirects[url] ?? (Object.hasOwn(answers, url) ? undefined : redirects['*']);
    if (location !== undefined) return void response.writeHead(302, { location }).end();
    const answer = answers[url] ?? 404;
    if (typeof answer === 'number') return void response.writeHead(answer).end();
    response.writeHead(200).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });

describe('a login page of the server itself', () => {
  const LOCKED = { health: 'healthy', proof: 'unproven', authRequired: true } as const;
  const LEFT_OUT = { health: 'unhealthy', proof: 'contradicted', authRequired: false } as const;

  test.each<[string, Answers, Readonly<Record<string, string>>]>([
    ['for everything', { '/login': 'log in' }, { '*': '/login' }],
    ['for everything, with a query', {}, { '*': '/login?next=%2Fbuildinfo' }],
    ['for the API only', { '/-/healthy': 200 }, { '/buildinfo': '/users/sign-in.html' }],
    ['below a path', {}, { '*': '/app/auth/login' }],
    ['as a URL', {}, { '*': 'http://prometheus.monitoring.svc.cluster.local:9090/login' }],
  ])('%s means that credentials are required', async (_, answers, redirects) => {
    expect(await probed(await moved(answers, redirects), PROVING)).toMatchObject(LOCKED);
  });

  test.each<[string, Answers, Readonly<Record<string, string>>]>([
    ['of the start page only', { '/-/healthy': 200 }, { '/': '/login' }],
    ['that is a page about something else', {}, { '*': '/authors' }],
    [
      'that is the same page elsewhere',
      {},
      { '/buildinfo': '/auth/buildinfo', '/-/healthy': '/auth/-/healthy' },
    ],
  ])('does not count for a redirect %s', async (_, answers, redirects) => {
    expect(await probed(await moved(answers, redirects), PROVING)).toMatchObject(LEFT_OUT);
  });

  test('does not hide the path at which its type is proven', async () => {
    const answers = { '/mon/-/healthy': 200, '/mon/buildinfo': { product: 'prometheus' } } as const;
    expect(await probed(await moved(answers, { '*': '/mon/login' }), PROVING)).toMatchObject({
      health: 'healthy',
      proof: 'proven',
      path: '/mon',
    });
  });

  test('counts for a type without a proof, too', async () => {
    expect(await probed(await moved({}, { '*': '/login' }), PLAIN)).toMatchObject(LOCKED);
  });
});

describe('a redirect', () => {
  const HOST = 'prometheus.monitoring.svc.cluster.local';
  const steps = async (location: string): Promise<string | undefined> => {
    const fetch: Fetch = () => Promise.resolve({ status: 302, headers: { location }, body: 'moved' });
    return (await probeHttp(prometheus, PLAIN, fetch, AbortSignal.timeout(5_000))).steps[0]?.answered;
  };

  test.each([
    ['/login?token=0123456789', '302 to /login'],
    ['https://me:pw@sso.example.com/start#x', '302 to https://sso.example.com/start'],
    [`https://${HOST}/-/healthy`, `302 to https://${HOST}/-/healthy (it wants https)`],
    ['https://10.0.0.9:9090/-/healthy', '302 to https://10.0.0.9:9090/-/healthy (it wants https)'],
    ['https://10.0.0.9:9090/elsewhere', '302 to https://10.0.0.9:9090/elsewhere'],
    ['/\u001b[2J\u202e', '302 to /%1B[2J%E2%80%AE'],
    ['//', '302 moved'],
  ])('to %j shows where it leads', async (location, expected) => {
    expect(await steps(location)).toBe(expected);
  });

  test('to a very long location is short', async () => {
    expect((await steps(`/${'x'.repeat(5_000)}`))?.length).toBeLessThan(150);
  });

  /** Redirects over http, and answers over https. */
  const tlsOnly =
    (location: string, answersTls = true): Fetch =>
    ({ endpoint: { scheme } }) =>
      Promise.resolve(
        scheme === 'https' && answersTls
          ? { status: 200, headers: {}, body: '{"product":"prometheus"}' }
          : { status: 301, headers: { location }, body: '' },
      );

  test.each([`https://${HOST}:9090/-/healthy`, 'https://10.0.0.9:9090/-/healthy', '/-/healthy'])(
    'to https at the same port, %s, is followed by a probe over https',
    async (location) => {
      const told = await probeHttp(prometheus, PROVING, tlsOnly(location), AbortSignal.timeout(5_000));
      expect(told).toMatchObject({ health: 'healthy', proof: 'proven', scheme: 'https' });
    },
  );

  test('to https at another port is the reason', async () => {
    const fetch = tlsOnly(`https://${HOST}/-/healthy`);
    expect(await probeHttp(prometheus, PROVING, fetch, AbortSignal.timeout(5_000))).toMatchObject({
      proof: 'contradicted',
      reason: 'GET /-/healthy answered 301: it wants https at port 443, and no response proves its type',
    });
  });
});

describe('a base path that the server names', () => {
  const PROVED = { health: 'healthy', proof: 'proven', path: '/mon' } as const;
  const below = { '/mon/-/healthy': 200, '/mon/buildinfo': { product: 'prometheus' } } as const;

  test.each<[string, Answers, Readonly<Record<string, string>>]>([
    ['by a redirect of its root', below, { '/': '/mon/graph' }],
    ['by a redirect of each request', below, { '/-/healthy': '/mon/-/healthy', '/': '/elsewhere' }],
    ['by its page', { ...below, '/': '<base href="/mon/">' }, {}],
  ])('is found %s', async (_, answers, redirects) => {
    expect(await probed(await moved(answers, redirects), PROVING)).toMatchObject(PROVED);
  });

  test('is found if it is the usual one of the product', async () => {
    const thanos = { ...prometheus, detector: 'thanos' };
    expect(await verdict({ '/thanos/stores': { stores: [] } }, PROVING, thanos)).toMatchObject({
      ...PROVED,
      path: '/thanos',
    });
  });

  test('is found if it is the usual one, and only the health check is at the root', async () => {
    const argo = [
      kind('argocd', '', { health: ['/health'], proofs: [{ all: [{ get: '/version', json: { v: '1' } }] }] }),
    ];
    const answers = { '/health': 200, '/argocd/health': 200, '/argocd/version': { v: '1' } } as const;
    expect(await verdict(answers, argo, { ...prometheus, detector: 'argocd' })).toMatchObject({
      ...PROVED,
      path: '/argocd',
    });
  });

  test('is found over the other scheme, and precedes the path of a proof', async () => {
    const answers = {
      '/mon/-/healthy': 200,
      '/mon/prometheus/buildinfo': { product: 'prometheus' },
    } as const;
    expect(await probed(await moved(answers, { '/': '/mon/' }), PROVING)).toMatchObject({
      ...PROVED,
      path: '/mon/prometheus',
    });
  });

  test('is not tried if nothing was found there, and the number of requests stays small', async () => {
    const backend = await moved({}, { '/': '/a/b/c/d/e' });
    const { steps, proof } = await probed(backend, PROVING);
    expect(proof).toBe('contradicted');
    // Two health paths and three others at the root, and health and proofs below each of three paths.
    expect(steps.length).toBeLessThanOrEqual(20);
    expect(new Set(steps.map(({ asked }) => asked)).size).toBe(steps.length);
  });

  test('what is known before it is tried counts if there is no time for that', async () => {
    const backend = await moved(below, { '/': '/mon/graph' });
    const known = vi.fn();
    const fetch = directFetch(backend.standsFor(prometheus));
    await probeHttp(prometheus, PROVING, fetch, AbortSignal.timeout(5_000), known);
    expect(known.mock.calls).toMatchObject([[{ proof: 'contradicted' }]]);
  });

  test.each<[Candidate['certainty'], Answers, Verdict['proof']]>([
    ['recommended', {}, 'unproven'],
    ['annotation', {}, 'unproven'],
    ['name', {}, 'contradicted'],
    ['hint', {}, 'contradicted'],
    ['recommended', { '/': 'another product' }, 'contradicted'],
    ['recommended', { '/-/healthy': 200 }, 'contradicted'],
  ])('with the certainty %s and the responses %j: %s', async (certainty, answers, proof) => {
    const told = await verdict(answers, PROVING, { ...prometheus, certainty });
    expect(told.proof).toBe(proof);
    if (proof === 'unproven')
      expect(told).toMatchObject({
        health: 'unknown',
        fix: expect.stringContaining('or set its path in detectors.prometheus.paths['),
      });
  });
});

describe('a tenant', () => {
  const TENANT = {
    header: 'X-Scope-OrgID',
    required: { get: '{base}/query', status: [401], body: 'no org id' },
  };
  const [prom, ...others] = PROVING;
  const KINDS = [
    { ...(prom as ProbeKind), spec: { ...(prom as ProbeKind).spec, tenant: TENANT } },
    ...others,
  ];
  const PROVEN = { '/-/healthy': 200, '/buildinfo': [200, '{"product":"prometheus"}'] } as const;

  test.each<[string, Answers, boolean | undefined]>([
    ['is required', { '/query': [401, 'no org id\n'] }, true],
    ['is not required', { '/query': [200, '{}'] }, false],
    ['is not what a login page wants', { '/query': [401, 'log in'] }, false],
    ['is unknown if the server fails', { '/query': [503, 'no org id'] }, undefined],
    ['is unknown without credentials', { '/-/healthy': 401, '/query': [401, 'no org id'] }, undefined],
  ])('%s', async (_, answers, required) => {
    const told = await verdict({ ...PROVEN, ...answers }, KINDS);
    expect(told.proof).toBe('proven');
    expect(told.health).toBe('healthy');
    expect(told.tenantRequired).toBe(required);
  });

  test('is asked for below the base path, and by the kind that is proven', async () => {
    const below = { '/-/healthy': 200, '/prometheus/buildinfo': [200, '{"product":"prometheus"}'] } as const;
    const told = await verdict({ ...below, '/prometheus/query': [401, 'no org id'] }, KINDS);
    expect(told).toMatchObject({ path: '/prometheus', tenantRequired: true });
    const loki = candidate(service('thanos', { labels: { app: 'thanos-query' }, ports: ['http:10902'] }));
    const other = await verdict({ ...PROVEN, '/query': [401, 'no org id'] }, KINDS, loki);
    expect(other).toMatchObject({ provenAs: 'prometheus', tenantRequired: true });
  });

  test('is not asked for if the kind has none, or is not proven', async () => {
    const backend = await answering({ ...PROVEN, '/query': [401, 'no org id'] });
    expect((await probed(backend, PROVING)).tenantRequired).toBeUndefined();
    expect(backend.asked).not.toContain('GET /query');
    const unproven = await answering({ '/-/healthy': 200 });
    expect((await probed(unproven, KINDS)).tenantRequired).toBeUndefined();
    expect(unproven.asked).not.toContain('GET /query');
  });
});
