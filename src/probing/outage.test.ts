import { describe, expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Fault, Verdict } from '../model/discovery.ts';
import { detectOutage, type Outage, outageProblem, type ProbeResult, verdictInOutage } from './outage.ts';
import { OutageProber } from './outage-prober.ts';
import type { ProbeEvent, Prober } from './prober.ts';

const named = (name: string, namespace = 'monitoring'): Candidate => {
  const found = candidate(service(name, { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
  return { ...found, service: { ...found.service, namespace } };
};
const atAddress = (name: string): Candidate => {
  const found = named(name);
  return { ...found, endpoint: { ...found.endpoint, host: '10.0.0.1' } };
};

const verdict = (fault?: Fault | 'well' | 'unreachable'): Verdict => ({
  health: fault === 'well' ? 'healthy' : fault === 'unreachable' ? 'unknown' : 'unhealthy',
  authRequired: false,
  proof: 'unproven',
  reason: String(fault),
  steps: [],
  ...(fault === undefined || fault === 'well' || fault === 'unreachable' ? {} : { fault }),
});

const signs = (...faults: (Fault | 'well' | 'unreachable' | undefined)[]): ProbeResult[] =>
  faults.map((fault, index) => ({
    candidate: named(`p${index}`),
    verdict: verdict(fault),
    wasReachable: true,
  }));

describe('signs of an outage of this process', () => {
  test.each<[readonly (Fault | 'well' | 'unreachable' | undefined)[], Outage | undefined]>([
    [[], undefined],
    [['resolution'], undefined],
    [['resolution', 'resolution'], 'dns'],
    [['resolution', 'resolution', 'not_ready', 'refused', 'unreachable'], 'dns'],
    [['resolution', 'connection'], 'network'],
    [['connection', 'connection'], 'network'],
    [['connection'], undefined],
    [['resolution', 'resolution', 'well'], undefined],
    [['resolution', 'resolution', 'timeout'], undefined],
    [['connection', 'connection', 'tls'], undefined],
    [['connection', 'connection', 'protocol'], undefined],
    [['connection', 'connection', undefined], undefined],
    [['timeout', 'timeout'], undefined],
    [['not_ready', 'not_ready'], undefined],
  ])('%j: %s', (faults, outage) => {
    expect(detectOutage(signs(...faults), undefined)).toBe(outage);
  });

  test('backends that were unreachable before do not count', () => {
    const known = signs('connection', 'connection', 'connection').map((sign) => ({
      ...sign,
      wasReachable: false,
    }));
    expect(detectOutage(known, undefined)).toBeUndefined();
    expect(detectOutage([...known, ...signs('connection')], undefined)).toBeUndefined();
    expect(detectOutage([...known, ...signs('connection', 'connection')], undefined)).toBe('network');
  });

  test('a backend with an IP address says nothing about DNS', () => {
    const reached: ProbeResult = { candidate: atAddress('q'), verdict: verdict('well'), wasReachable: true };
    expect(detectOutage([...signs('resolution', 'resolution'), reached], undefined)).toBe('dns');
    expect(detectOutage([reached], 'dns')).toBe('dns');
    expect(detectOutage([reached], 'network')).toBeUndefined();
  });

  test('an outage continues with a single unreachable backend, and ends with the first reachable one', () => {
    expect(detectOutage(signs('resolution'), 'dns')).toBe('dns');
    expect(detectOutage(signs('connection'), 'network')).toBe('network');
    expect(detectOutage(signs('not_ready'), 'network')).toBe('network');
    expect(detectOutage(signs('resolution', 'timeout'), 'dns')).toBeUndefined();
  });

  test('messages name the kind, and keep the reason', () => {
    expect(verdictInOutage('dns', verdict('resolution'))).toMatchObject({
      health: 'unknown',
      fault: 'resolution',
      reason: expect.stringMatching(/DNS.*: resolution$/),
    });
    expect(outageProblem('network').what).toContain('published tools stay');
  });
});

/** A prober whose answers a test sets, by the name of the Service. */
function scripted(answers: Record<string, Fault | 'well'>) {
  const asked: string[] = [];
  const inner: Prober = {
    probe: async ({ service: { name } }) => {
      asked.push(name);
      await Promise.resolve();
      return verdict(answers[name]);
    },
  };
  const events: ProbeEvent[] = [];
  let recovered = 0;
  const prober = new OutageProber(
    inner,
    () => {
      recovered++;
    },
    (event) => events.push(event),
  );
  const { signal } = new AbortController();
  /** One pass over some candidates. @returns health by name */
  const pass = async (...candidates: Candidate[]): Promise<Record<string, string>> => {
    asked.length = 0;
    await prober.prepare(all, signal);
    const verdicts = await Promise.all(candidates.map((each) => prober.probe(each, signal)));
    return Object.fromEntries(
      candidates.map((each, index) => [each.service.name, verdicts[index]?.health ?? '']),
    );
  };
  const all = Object.keys(answers).map((name) => named(name));
  return { answers, asked, events, pass, all, recovered: () => recovered };
}

describe('a prober that detects outages', () => {
  test('keeps all verdicts while no backend is reachable, and probes all again afterwards', async () => {
    const { answers, pass, all, events, recovered } = scripted({ a: 'well', b: 'well', c: 'well' });
    expect(await pass(...all)).toEqual({ a: 'healthy', b: 'healthy', c: 'healthy' });
    Object.assign(answers, { a: 'resolution', b: 'resolution', c: 'resolution' });
    expect(await pass(...all)).toEqual({ a: 'unknown', b: 'unknown', c: 'unknown' });
    expect(recovered()).toBe(0);
    answers.c = 'well';
    expect(await pass(...all.slice(2))).toEqual({ c: 'healthy' });
    expect(recovered()).toBe(1);
    expect(events).toEqual([
      { kind: 'outage', outage: 'dns' },
      { kind: 'outage', outage: undefined },
    ]);
  });

  test('also in the very first pass', async () => {
    const { pass, all } = scripted({ a: 'resolution', b: 'resolution' });
    expect(await pass(...all)).toEqual({ a: 'unknown', b: 'unknown' });
  });

  test('two that fail while others, which are not due, are healthy, are unhealthy', async () => {
    const { answers, pass, all, asked, events } = scripted({ a: 'well', b: 'well', c: 'well', d: 'well' });
    await pass(...all);
    Object.assign(answers, { a: 'connection', b: 'connection' });
    expect(await pass(...all.slice(0, 2))).toEqual({ a: 'unhealthy', b: 'unhealthy' });
    expect(asked.slice(2).sort()).toEqual(['c', 'd']);
    expect(events).toEqual([]);
    // Their failures are no longer new, so no others are probed because of them.
    expect(await pass(...all.slice(0, 2))).toEqual({ a: 'unhealthy', b: 'unhealthy' });
    expect(asked).toEqual(['a', 'b']);
  });

  test('one that fails counts together with healthy ones that are probed to confirm it', async () => {
    const { answers, pass, all } = scripted({ a: 'well', b: 'well' });
    await pass(...all);
    Object.assign(answers, { a: 'connection', b: 'connection' });
    expect(await pass(...all.slice(0, 1))).toEqual({ a: 'unknown' });
  });

  test('the only backend may be unhealthy', async () => {
    const { answers, pass, all } = scripted({ a: 'well' });
    await pass(...all);
    answers.a = 'connection';
    expect(await pass(...all)).toEqual({ a: 'unhealthy' });
  });

  test('each pass during an outage probes a few, different ones each time', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
    const { answers, pass, all, asked } = scripted(
      Object.fromEntries(names.map((name) => [name, 'connection'])),
    );
    await pass(...all);
    expect(asked).toHaveLength(10);
    const scouts: string[] = [];
    for (let round = 0; round < 3; round++) {
      expect(new Set(Object.values(await pass(...all)))).toEqual(new Set(['unknown']));
      expect(asked.length).toBeLessThanOrEqual(4);
      scouts.push(...asked);
    }
    expect(scouts.sort()).toEqual([...names].sort());
    for (const name of names) answers[name] = 'well';
    await pass(...all);
    expect(new Set(Object.values(await pass(...all)))).toEqual(new Set(['healthy']));
    expect(asked).toHaveLength(10);
  });

  test('other failures keep their verdict', async () => {
    const { pass, all } = scripted({ a: 'timeout', b: 'connection', c: 'connection', d: 'not_ready' });
    expect(await pass(...all)).toEqual({ a: 'unhealthy', b: 'unhealthy', c: 'unhealthy', d: 'unhealthy' });
  });

  test('an aborted pass ends all waiting probes', async () => {
    const stop = new AbortController();
    const inner: Prober = {
      probe: (each, signal) =>
        each.service.name === 'a'
          ? Promise.resolve(verdict('connection'))
          : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    const prober = new OutageProber(inner, () => {});
    const probes = ['a', 'b'].map((name) => prober.probe(named(name), stop.signal));
    await Promise.resolve();
    stop.abort(new Error('over'));
    const [lost, open] = await Promise.allSettled(probes);
    expect(lost).toMatchObject({ status: 'fulfilled', value: { health: 'unhealthy' } });
    expect(open).toMatchObject({ status: 'rejected' });
  });
});

test('the verdict of an unreachable backend does not wait forever for slow ones', async () => {
  vi.useFakeTimers();
  try {
    const inner: Prober = {
      probe: ({ service: { name } }) =>
        name === 'slow' ? new Promise(() => {}) : Promise.resolve(verdict('connection')),
    };
    const prober = new OutageProber(inner, () => {});
    const { signal } = new AbortController();
    void prober.probe(named('slow'), signal);
    const lost = prober.probe(named('a'), signal);
    await vi.advanceTimersByTimeAsync(3_000);
    expect((await lost).health).toBe('unhealthy');
  } finally {
    vi.useRealTimers();
  }
});
