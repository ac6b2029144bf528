import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { answering, type Backend, httpBackend, rawBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { probeSpec } from '../model/proof.ts';
import { directFetch } from './direct.ts';
import type { Fetch } from './fetch.ts';
import { noProber } from './no-prober.ts';
import { createProber, type ProbeEvent, type ProbeLimits, type Prober } from './prober.ts';

const KINDS = [
  { detector: 'prometheus', title: 'Prometheus', path: '', spec: probeSpec.parse({ health: ['/healthy'] }) },
];
const named = (name: string): Candidate =>
  candidate(service(name, { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
const prometheus = named('prometheus');

const proberOf = (backend: Backend, limits: Partial<ProbeLimits>, ...more: Candidate[]): Prober =>
  createProber(
    KINDS,
    { fetch: directFetch(backend.standsFor(prometheus, ...more)) },
    { concurrency: 32, timeout: 5_000, ...limits },
  );
const never = new AbortController().signal;

test.each([
  ['large answers are handled one per turn of the event loop', 5_000, true],
  ['small ones as they come', 4_000, false],
])('%s', async (_, size, isPaced) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let asked = 0;
  const fetch: Fetch = async () => {
    asked++;
    await released;
    return { status: 200, headers: {}, body: 'x'.repeat(size) };
  };
  let probed = 0;
  const prober = createProber(KINDS, { fetch }, { concurrency: 32, timeout: 5_000 });
  const all = Array.from({ length: 20 }, (_, index) =>
    prober.probe(named(`prometheus-${index}`), never).then(() => probed++),
  );
  const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
  while (asked < 20) await turn();
  release();
  let most = 0;
  for (let last = 0; probed < 20; last = probed) {
    await turn();
    most = Math.max(most, probed - last);
  }
  await Promise.all(all);
  if (isPaced) expect(most).toBeLessThanOrEqual(2);
  else expect(most).toBe(20);
});

test('an answer that waits for those of others is not late', async () => {
  const text = 'x'.repeat(5_000);
  /** Handling it takes so long that the next one of the namespace waits for more than the timeout. */
  const costly = () => {
    let read = 0;
    return {
      ...{ status: 200, headers: {} },
      get body() {
        const end = performance.now() + (read++ === 0 ? 0 : 60);
        while (performance.now() < end);
        return text;
      },
    };
  };
  const prober = createProber(KINDS, { fetch: async () => costly() }, { concurrency: 32, timeout: 150 });
  const verdicts = await Promise.all(['a', 'b', 'c'].map((name) => prober.probe(named(name), never)));
  expect(verdicts.map(({ health }) => health)).toEqual(['healthy', 'healthy', 'healthy']);
});

describe('the timeout', () => {
  test('ends a probe of a backend that never responds', async () => {
    const backend = await rawBackend(() => {});
    const verdict = await proberOf(backend, { timeout: 200 }).probe(prometheus, never);
    expect(verdict).toMatchObject({
      health: 'unhealthy',
      reason: expect.stringContaining('no answer within'),
    });
  });

  test('ends a probe of a backend that never finishes its response', async () => {
    const backend = await httpBackend((_, response) => {
      response.write('still ');
    });
    const verdict = await proberOf(backend, { timeout: 200 }).probe(prometheus, never);
    expect(verdict).toMatchObject({
      health: 'unhealthy',
      reason: expect.stringContaining('no answer within'),
    });
  });

  describe('while others wait', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
    });
    afterEach(() => void vi.useRealTimers());

    /** The verdicts after so much time, in milliseconds. */
    async function within(milliseconds: number, probes: readonly Promise<Verdict>[]): Promise<Verdict[]> {
      await vi.advanceTimersByTimeAsync(milliseconds);
      return Promise.all(probes);
    }

    test('is the same for all backends that were not silent before: a slow one is not unhealthy', async () => {
      const fetch: Fetch = () =>
        new Promise((resolve) => setTimeout(() => resolve({ status: 200, headers: {}, body: 'ok' }), 900));
      const prober = createProber(KINDS, { fetch }, { concurrency: 1, timeout: 20_000 });
      const slow = [named('prometheus-0'), named('prometheus-1'), named('prometheus-2')];
      const verdicts = await within(
        3_000,
        slow.map((each) => prober.probe(each, never)),
      );
      expect(verdicts.map(({ health }) => health)).toEqual(['healthy', 'healthy', 'healthy']);
    });

    test('is shorter for backends that were silent before, once too many slots were passed on', async () => {
      const fetch: Fetch = ({ service: { name } }) =>
        name.startsWith('dead-')
          ? new Promise(() => {})
          : Promise.resolve({ status: 200, headers: {}, body: 'ok' });
      const prober = createProber(KINDS, { fetch }, { concurrency: 1, timeout: 3_500 });
      const dead = Array.from({ length: 5 }, (_, index) => named(`dead-prometheus-${index}`));
      const probeAll = () =>
        within(
          30_000,
          dead.map((each) => prober.probe(each, never)),
        );
      const first = await probeAll();
      expect(first.map(({ reason }) => reason)).toEqual(dead.map(() => 'no answer within 3.5 s'));
      const cut = (await probeAll()).filter(({ reason }) => !reason.endsWith('within 3.5 s'));
      expect(cut.length).toBeGreaterThanOrEqual(1);
      const [alive] = await within(100, [prober.probe(prometheus, never)]);
      expect(alive?.health).toBe('healthy');
    });
  });
});

describe('the limit on concurrent probes', () => {
  test.each([1, 3])('%i: holds, and every backend is probed', async (concurrency) => {
    let open = 0;
    let most = 0;
    const backend = await httpBackend((_, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('ok');
      }, 20);
    });
    const many = Array.from({ length: 12 }, (_, index) => named(`prometheus-${index}`));
    const prober = proberOf(backend, { concurrency }, ...many);
    const verdicts = await Promise.all(many.map((each) => prober.probe(each, never)));
    expect(verdicts.map(({ health }) => health)).toEqual(many.map(() => 'healthy'));
    expect(most).toBe(concurrency);
  });
});

test('namespaces share the slots: many silent backends of one do not delay another one', async () => {
  const asked: string[] = [];
  const fetch: Fetch = ({ service: { namespace } }, _, signal) => {
    asked.push(namespace);
    if (namespace === 'b') return Promise.resolve({ status: 200, headers: {}, body: 'ok' });
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const prober = createProber(KINDS, { fetch }, { concurrency: 4, timeout: 60_000 });
  const stop = new AbortController();
  const of = (namespace: string, index: number): Candidate => {
    const { service: each, ...rest } = named(`prometheus-${index}`);
    return { ...rest, service: { ...each, namespace } };
  };
  const hostile = Array.from({ length: 50 }, (_, index) => prober.probe(of('a', index), stop.signal));
  const others = Array.from({ length: 10 }, (_, index) => prober.probe(of('b', index), stop.signal));
  const verdicts = await Promise.all(others);
  expect(verdicts.map(({ health }) => health)).toEqual(others.map(() => 'healthy'));
  expect(new Set(asked)).toEqual(new Set(['a', 'b']));
  stop.abort();
  await Promise.allSettled(hostile);
});

describe('an abort', () => {
  test('ends running and waiting probes at once', async () => {
    const backend = await rawBackend(() => {});
    const stop = new AbortController();
    const prober = proberOf(backend, { concurrency: 1, timeout: 10_000 });
    const probes = [prober.probe(prometheus, stop.signal), prober.probe(prometheus, stop.signal)];
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    const results = await Promise.allSettled(probes);
    expect(results.map((result) => result.status === 'rejected' && String(result.reason))).toEqual([
      'Error: stopped',
      'Error: stopped',
    ]);
  });

  test('before the first request means that none is sent', async () => {
    const backend = await answering({ '/healthy': 200 });
    await expect(proberOf(backend, {}).probe(prometheus, AbortSignal.abort())).rejects.toThrow();
    expect(backend.asked).toEqual([]);
  });

  test('does not harm a prober that is used again', async () => {
    const backend = await answering({ '/healthy': 200 });
    const prober = proberOf(backend, { concurrency: 1 });
    await expect(prober.probe(prometheus, AbortSignal.abort())).rejects.toThrow();
    expect((await prober.probe(prometheus, never)).health).toBe('healthy');
  });
});

test('without probes, health is unknown, with the reason', async () => {
  expect(await noProber.probe(prometheus, never)).toMatchObject({
    health: 'unknown',
    authRequired: false,
    reason: expect.stringContaining('not probed'),
  });
});

test('emits events when a probe starts and ends', async () => {
  const told: ProbeEvent[] = [];
  const backend = await rawBackend(() => {});
  const prober = createProber(
    KINDS,
    { fetch: directFetch(backend.standsFor(prometheus)) },
    { concurrency: 1, timeout: 50 },
    (event) => told.push(event),
  );
  expect((await prober.probe(prometheus, never)).fault).toBe('timeout');
  expect(told).toEqual([
    { kind: 'probe-began' },
    { kind: 'probe-ended', type: 'prometheus', milliseconds: expect.any(Number) },
  ]);
});

test.each([
  ['resolving', 'resolution', 'its name did not resolve'],
  ['connecting', 'connection', 'no connection'],
  ['securing', 'tls', 'the TLS handshake did not complete'],
  ['requesting', 'timeout', 'no answer'],
  [undefined, 'timeout', 'no answer'],
] as const)('a probe whose timeout ends while it is %s has the fault %s', async (phase, fault, words) => {
  const fetch: Fetch = (_candidate, _ask, _signal, progress = {}) => {
    if (phase !== undefined) progress.phase = phase;
    return new Promise(() => {});
  };
  const prober = createProber(KINDS, { fetch }, { concurrency: 1, timeout: 20 });
  expect(await prober.probe(prometheus, never)).toMatchObject({
    health: 'unhealthy',
    fault,
    reason: expect.stringMatching(new RegExp(`${words} within \\d+\\.\\d s`)),
  });
});

test.each([
  ['keeps', 8 * 1024, false],
  ['passes on', 10, true],
])('a probe whose response arrives at a steady rate %s its slot', async (_, bytes, isNextProbed) => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const isAsked = new Set<string>();
  const fetch: Fetch = async ({ endpoint }, { enough }) => {
    isAsked.add(endpoint.host);
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      enough?.(Buffer.alloc(bytes));
    }
  };
  const prober = createProber(KINDS, { fetch }, { concurrency: 1, timeout: 60_000 });
  const other = { ...prometheus, endpoint: { ...prometheus.endpoint, host: 'other' } };
  void prober.probe(prometheus, never);
  void prober.probe(other, never);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(isAsked.has('other')).toBe(isNextProbed);
});
