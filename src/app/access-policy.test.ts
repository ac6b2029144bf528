import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KubeClient, KubeRequest } from '../kubernetes/connection.ts';
import type { Caller } from '../model/caller.ts';
import { ConfigError } from '../model/errors.ts';
import { checkAccessSettings, createAccessPolicy } from './access-policy.ts';
import type { Configuration } from './configuration.ts';

const ANN: Caller = { username: 'ann', uid: '7', groups: [], extra: {} };
const SETTINGS = {
  authEnabled: true,
  authAudiences: ['tools'],
  authorizationEnabled: true,
  rateLimit: 1,
  rateLimitBurst: 2,
} as unknown as Configuration;

/** A cluster that knows the token of ann, and lets her do everything. */
function cluster() {
  const asked: KubeRequest[] = [];
  const kube = {
    async request(request: KubeRequest) {
      asked.push(request);
      return request.path.includes('tokenreviews')
        ? { status: { authenticated: true, user: ANN, audiences: ['tools'] } }
        : { status: { allowed: true } };
    },
  } as unknown as KubeClient;
  return { kube, asked };
}

function policies(kube: KubeClient | undefined = cluster().kube) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  return createAccessPolicy(kube, stop.signal);
}

describe('checks of requests', () => {
  test("tokens are reviewed for the configured audiences, then the caller's permissions", async () => {
    const { kube, asked } = cluster();
    const { authenticator, authorizer } = policies(kube)(SETTINGS);
    const known = await authenticator?.authenticate('Bearer token', '10.0.0.1');
    expect(known).toEqual({ kind: 'caller', caller: ANN });
    const access = { nonResourceAttributes: { verb: 'get', path: '/metrics' } };
    expect(await authorizer?.authorize(ANN, access)).toEqual({ kind: 'allowed' });
    expect(asked.map(({ body }) => (body as { spec: unknown }).spec)).toMatchObject([
      { token: 'token', audiences: ['tools'] },
      { user: 'ann', nonResourceAttributes: access.nonResourceAttributes },
    ]);
  });

  test('a review is cached for ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const { kube, asked } = cluster();
    const { authenticator } = policies(kube)(SETTINGS);
    await authenticator?.authenticate('Bearer token', '10.0.0.1');
    await authenticator?.authenticate('Bearer token', '10.0.0.1');
    expect(asked).toHaveLength(1);
    vi.setSystemTime(Date.now() + 10_000);
    await authenticator?.authenticate('Bearer token', '10.0.0.1');
    expect(asked).toHaveLength(2);
  });

  test.each<[string, Partial<Configuration>, kube: boolean, authenticates: boolean, authorizes: boolean]>([
    ['all of it', {}, true, true, true],
    ['tokens only', { authorizationEnabled: false }, true, true, false],
    ['nothing, where authentication is off', { authEnabled: false }, true, false, false],
    ['nothing, where there is no cluster', {}, false, false, false],
  ])('%s', (_, settings, hasCluster, authenticates, authorizes) => {
    const policy = createAccessPolicy(
      hasCluster ? cluster().kube : undefined,
      new AbortController().signal,
    )({ ...SETTINGS, ...settings });
    expect([policy.authenticator !== undefined, policy.authorizer !== undefined]).toEqual([
      authenticates,
      authorizes,
    ]);
  });
});

describe('rates', () => {
  /** How many of many requests at once pass, and how many of those after so many milliseconds. */
  function passes(limiter: 'clients' | 'addresses', milliseconds: number): [number, number] {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { [limiter]: rate } = policies()(SETTINGS);
    const count = (): number =>
      Array.from({ length: 50 }, () => rate.take('a')).filter(({ allowed }) => allowed).length;
    const first = count();
    vi.advanceTimersByTime(milliseconds);
    return [first, count()];
  }

  test('a client gets the configured rate', () => expect(passes('clients', 1_000)).toEqual([2, 1]));
  test('an address has five times that rate', () => expect(passes('addresses', 1_000)).toEqual([10, 5]));

  test('10,000 are counted at a time, and a forgotten one starts again', () => {
    const { clients } = policies()(SETTINGS);
    const isCounted = (others: number): boolean => {
      clients.take('first');
      clients.take('first');
      for (let n = 0; n < others; n++) clients.take(`client ${n}`);
      return !clients.take('first').allowed;
    };
    expect([isCounted(9_999), isCounted(10_000)]).toEqual([true, false]);
  });
});

describe('a changed configuration', () => {
  test('keeps counters and reviews that it does not affect', () => {
    const policy = policies();
    const before = policy(SETTINGS);
    expect(policy({ ...SETTINGS, authAudiences: ['tools'], discoveryInterval: 1 })).toBe(before);
  });

  test.each<Partial<Configuration>>([
    { authEnabled: false },
    { authAudiences: ['others'] },
    { authorizationEnabled: false },
    { rateLimit: 2 },
    { rateLimitBurst: 3 },
  ])('%o is in force at once', (change) => {
    const policy = policies();
    const before = policy(SETTINGS);
    const after = policy({ ...SETTINGS, ...change });
    expect(after).not.toBe(before);
    expect(policy({ ...SETTINGS, ...change })).toBe(after);
  });
});

describe('without a cluster, tokens cannot be reviewed', () => {
  const address = { host: '', port: 1 };
  const settings = (more: Partial<Configuration>): Configuration =>
    ({ authEnabled: true, metricsAuthEnabled: false, ...more }) as Configuration;

  test.each<Partial<Configuration>>([
    { apiAddress: address },
    { metricsAuthEnabled: true },
    { apiAddress: 'none', metricsAuthEnabled: true },
  ])('%o is an error that says what to set', (more) => {
    const check = (): void => checkAccessSettings(settings(more), undefined);
    expect(check).toThrow(ConfigError);
    expect(check).toThrow('AUTH_ENABLED=false');
    expect(() => checkAccessSettings(settings(more), cluster().kube)).not.toThrow();
  });

  test.each<Partial<Configuration>>([
    {},
    { apiAddress: 'none' },
    { authEnabled: false, apiAddress: address, metricsAuthEnabled: true },
  ])('%o is not an error', (more) => {
    expect(() => checkAccessSettings(settings(more), undefined)).not.toThrow();
  });
});
