import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AccessAttributes, Caller } from '../model/caller.ts';
import { RateLimiter } from '../model/rate-limit.ts';
import { LogSampler } from '../telemetry/log-sampler.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createApp } from './app.ts';
import { type Authentication, Authenticator } from './authentication.ts';
import { type Authorization, Authorizer } from './authorization.ts';
import { type AccessPolicy, type AuthenticationOutcome, guard, permitted } from './guard.ts';

const ANN: Caller = { username: 'ann', uid: '7', groups: [], extra: {} };
const KNOWN: Authentication = { kind: 'caller', caller: ANN };
const AWAY = { kind: 'unavailable', why: 'the API server is away', retryAfter: 7 } as const;
const ALLOWED: Authorization = { kind: 'allowed' };
const FORBIDDEN: Authorization = { kind: 'forbidden', reason: 'no role allows it' };

const limiter = (burst = 100): RateLimiter => new RateLimiter({ rate: 1, burst, clients: 10, now: () => 0 });

/** Both give the same answer to everybody; without one there is none. */
function policyOf(says: { authentication?: Authentication; authorization?: Authorization; burst?: number }) {
  const headers: (string | undefined)[] = [];
  const asked: [Caller, AccessAttributes][] = [];
  const authenticator = Object.assign(Object.create(Authenticator.prototype), {
    async authenticate(header: string | undefined) {
      headers.push(header);
      return says.authentication;
    },
  });
  const authorizer = Object.assign(Object.create(Authorizer.prototype), {
    async authorize(caller: Caller, attributes: AccessAttributes) {
      asked.push([caller, attributes]);
      return says.authorization;
    },
  });
  const policy: AccessPolicy = {
    authenticator: says.authentication && authenticator,
    authorizer: says.authorization && authorizer,
    addresses: limiter(),
    clients: limiter(says.burst),
  };
  return { policy, headers, asked };
}

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** A server with routes of all sorts behind the guard. */
async function setting(says: Parameters<typeof policyOf>[0]) {
  const { policy, headers, asked } = policyOf(says);
  const outcomes: AuthenticationOutcome[] = [];
  const lines: Record<string, unknown>[] = [];
  const out = new PassThrough();
  out.on('data', (chunk) => lines.push(JSON.parse(String(chunk))));
  const { log } = createLogger({ logLevel: 'info', logFormat: 'json' }, out);
  const admit = guard({
    policy: () => policy,
    namespace: () => 'home',
    log,
    component: 'api_server',
    sampled: new LogSampler(),
    authenticated: (outcome) => outcomes.push(outcome),
  });
  const routes = (app: FastifyInstance): void => {
    app.addHook('onRequest', async ({ headers }) => {
      if (headers['user-agent'] === 'none') delete headers['user-agent'];
    });
    app.addHook('onRequest', admit);
    const handler = async ({ caller, authenticated }: { caller?: Caller; authenticated?: boolean }) => ({
      caller: caller?.username ?? null,
      authenticated: authenticated ?? null,
    });
    app.get('/plain', handler);
    app.get('/public', { config: { public: true } }, handler);
    app.get('/probe', { config: { probe: true } }, handler);
    app.get('/tools', { config: { access: { resource: 'toolsets', verb: 'get' } } }, handler);
    app.post('/undo', { config: { access: { resource: 'toolsets/rollback', verb: 'create' } } }, handler);
    app.get('/path', { config: { access: { path: '/metrics', verb: 'get' } } }, handler);
  };
  const app = await createApp({ log, component: 'api_server', answered: () => {}, routes });
  apps.push(app);
  return { app, headers, asked, outcomes, lines };
}

beforeAll(async () => {
  // The first server loads what all of them need.
  await (await setting({})).app.inject('/plain');
});

describe('admitted', () => {
  test('everyone, if authentication is disabled', async () => {
    const { app, asked, outcomes } = await setting({ authorization: FORBIDDEN });
    const answer = await app.inject('/tools');
    expect(answer.json()).toEqual({ caller: null, authenticated: null });
    expect(asked).toEqual([]);
    expect(outcomes).toEqual([]);
  });

  test.each(['/public', '/probe'])('everyone for %s, without a look at the token', async (url) => {
    const { app, headers, outcomes } = await setting({
      authentication: { kind: 'denied', reason: 'missing', why: '' },
    });
    expect((await app.inject({ url, headers: { authorization: 'Bearer x' } })).statusCode).toBe(200);
    expect(headers).toEqual([]);
    expect(outcomes).toEqual([]);
  });

  test('a caller with a known token: the request has the caller', async () => {
    const { app, headers, outcomes, lines } = await setting({ authentication: KNOWN });
    const answer = await app.inject({ url: '/tools', headers: { authorization: 'Bearer x' } });
    expect(answer.json()).toEqual({ caller: 'ann', authenticated: true });
    expect(headers).toEqual(['Bearer x']);
    expect(outcomes).toEqual([{ outcome: 'accepted', milliseconds: expect.any(Number) }]);
    expect(lines).toEqual([]);
  });

  test.each([
    ['GET', '/tools', { verb: 'get', resource: 'toolsets' }],
    ['POST', '/undo', { verb: 'create', resource: 'toolsets', subresource: 'rollback' }],
  ] as const)('%s %s needs the permission on our resource', async (method, url, attributes) => {
    const { app, asked } = await setting({ authentication: KNOWN, authorization: ALLOWED });
    expect((await app.inject({ method, url })).json()).toEqual({ caller: 'ann', authenticated: true });
    const group = 'toolset.kubernaut.io';
    expect(asked).toStrictEqual([[ANN, { resourceAttributes: { group, namespace: 'home', ...attributes } }]]);
  });

  test('a path needs a permission on the path', async () => {
    const { app, asked } = await setting({ authentication: KNOWN, authorization: ALLOWED });
    expect((await app.inject('/path')).statusCode).toBe(200);
    expect(asked).toEqual([[ANN, { nonResourceAttributes: { verb: 'get', path: '/metrics' } }]]);
  });

  test('a route without a permission needs only a token', async () => {
    const { app, asked } = await setting({ authentication: KNOWN, authorization: FORBIDDEN });
    expect((await app.inject('/plain')).statusCode).toBe(200);
    expect(asked).toEqual([]);
  });
});

describe('rejected', () => {
  test.each([
    [
      'missing',
      'Send a token that the API server knows in the Authorization header, after the word Bearer.',
      'Bearer realm="dynamic-toolset"',
    ],
    [
      'malformed',
      'Send a token that the API server knows in the Authorization header, after the word Bearer.',
      'Bearer realm="dynamic-toolset", error="invalid_request"',
    ],
    [
      'invalid',
      'does not know the token. It expired',
      'Bearer realm="dynamic-toolset", error="invalid_token"',
    ],
  ] as const)('a token is %s: 401 says what to send', async (reason, detail, challenge) => {
    const { app, outcomes, lines, asked } = await setting({
      authentication: { kind: 'denied', reason, why: 'why it is so' },
      authorization: ALLOWED,
    });
    const answer = await app.inject({
      url: '/tools?a=secret',
      headers: { 'user-agent': 'x'.repeat(500), 'x-request-id': 'abc' },
    });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(answer.json().detail).toContain(detail);
    expect(asked).toEqual([]);
    expect(outcomes).toEqual([{ outcome: 'refused', reason, milliseconds: expect.any(Number) }]);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        component: 'api_server',
        event: 'authentication_failed',
        reason,
        request_id: 'abc',
        method: 'GET',
        path: '/tools',
        user_agent: `${'x'.repeat(200)}…`,
        message: 'why it is so',
      }),
    ]);
    expect(lines[0]).not.toHaveProperty('more');
  });

  test.each([
    ['/tools', 'ann may not get toolsets.toolset.kubernaut.io in namespace home', 'a Role there'],
    ['/path', 'ann may not get path /metrics', 'a ClusterRole'],
  ])('a caller without the permission to %s: 403 and the log name both', async (url, denied, role) => {
    const { app, outcomes, lines } = await setting({ authentication: KNOWN, authorization: FORBIDDEN });
    const answer = await app.inject(url);
    expect([answer.statusCode, answer.json().detail]).toEqual([403, `${denied}; ${role} grants it.`]);
    expect(outcomes).toEqual([{ outcome: 'refused', reason: 'forbidden', milliseconds: expect.any(Number) }]);
    expect(lines).toEqual([
      expect.objectContaining({
        event: 'authorization_denied',
        reason: 'forbidden',
        username: 'ann',
        message: `${denied}: no role allows it`,
      }),
    ]);
  });

  test.each([
    ['the token', { authentication: AWAY, authorization: ALLOWED }],
    ['the right', { authentication: KNOWN, authorization: AWAY }],
  ])(
    'without a decision of the API server about %s, the response is 503, and not a rejection',
    async (_, says) => {
      const { app, outcomes, lines } = await setting(says);
      const answer = await app.inject('/tools');
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '7']);
      expect(outcomes).toEqual([
        { outcome: 'refused', reason: 'unavailable', milliseconds: expect.any(Number) },
      ]);
      expect(lines).toContainEqual(
        expect.objectContaining({
          event: 'authentication_failed',
          reason: 'unavailable',
          message: 'the API server is away',
        }),
      );
    },
  );

  test('a client beyond its rate: 429 says when to retry', async () => {
    const { app, asked } = await setting({ authentication: KNOWN, authorization: ALLOWED, burst: 2 });
    const answers = [await app.inject('/tools'), await app.inject('/tools'), await app.inject('/tools')];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
    expect(answers.map(({ headers }) => headers['x-ratelimit-remaining'])).toEqual(['1', '0', '0']);
    expect(answers[2]?.headers['retry-after']).toBe('1');
    expect(answers[2]?.json().detail).toBe('There were too many requests; wait 1 s.');
    // No right is reviewed for it.
    expect(asked).toHaveLength(2);
  });

  test('a client without a user agent is still logged', async () => {
    const { app, lines } = await setting({ authentication: { kind: 'denied', reason: 'missing', why: '' } });
    const answer = await app.inject({ url: '/tools', headers: { 'user-agent': 'none' } });
    expect(answer.statusCode).toBe(401);
    expect(lines[0]?.user_agent).toBe('');
  });

  test('the duration of an outcome is that of the checks', async () => {
    const { app, outcomes } = await setting({ authentication: KNOWN });
    const begun = performance.now();
    await app.inject('/tools');
    expect(outcomes[0]?.milliseconds).toBeGreaterThanOrEqual(0);
    expect(outcomes[0]?.milliseconds).toBeLessThanOrEqual(performance.now() - begun);
  });

  test('a flood is one line per reason and address, and one for the number of the others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const says: Parameters<typeof policyOf>[0] = {
      authentication: { kind: 'denied', reason: 'missing', why: 'no header' },
    };
    const { app, lines } = await setting(says);
    const ask = (remoteAddress: string) => app.inject({ url: '/tools', remoteAddress });
    await ask('10.0.0.1');
    await ask('10.0.0.1');
    await ask('10.0.0.1');
    await ask('10.0.0.2');
    says.authentication = { kind: 'denied', reason: 'invalid', why: 'unknown token' };
    await ask('10.0.0.1');
    const told = () => lines.map(({ remote_addr, reason, more }) => [remote_addr, reason, more]);
    expect(told()).toEqual([
      ['10.0.0.1', 'missing', undefined],
      ['10.0.0.2', 'missing', undefined],
      ['10.0.0.1', 'invalid', undefined],
    ]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told().slice(3)).toEqual([['10.0.0.1', 'missing', 1]]);
    expect(lines.at(-1)?.message).toBe('no header; 1 similar line was not logged');
  });
});

describe('whether a long request still has its permission', () => {
  const ACCESS = { resource: 'toolsets', verb: 'get' } as const;
  const REQUEST = { headers: { authorization: 'Bearer x' }, ip: '10.0.0.1' } as never;
  const denied: Authentication = { kind: 'denied', reason: 'invalid', why: '' };

  test.each([
    ['authentication is off', {}, true],
    ['the token is known, and authorization is off', { authentication: KNOWN }, true],
    ['permission is granted', { authentication: KNOWN, authorization: ALLOWED }, true],
    ['the token is rejected', { authentication: denied, authorization: ALLOWED }, false],
    ['permission is denied', { authentication: KNOWN, authorization: FORBIDDEN }, false],
    ['the token cannot be reviewed', { authentication: AWAY, authorization: ALLOWED }, false],
    ['permission cannot be reviewed', { authentication: KNOWN, authorization: AWAY }, false],
  ])('%s', async (_, says: Parameters<typeof policyOf>[0], expected) => {
    const { policy, headers, asked } = policyOf(says);
    const permits = permitted({ policy: () => policy, namespace: () => 'home' });
    expect(await permits(REQUEST, ACCESS)).toBe(expected);
    if (says.authentication !== undefined) expect(headers).toEqual(['Bearer x']);
    if (asked.length > 0) expect(asked[0]?.[1]).toMatchObject({ resourceAttributes: { namespace: 'home' } });
  });
});
