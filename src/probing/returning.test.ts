import { describe, expect, test } from 'vitest';
import { candidate as found } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';
import { ScheduledProber } from './scheduled-prober.ts';

const MINUTE = 60_000;
const one = found(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
const key: ServiceKey = serviceKey(one.service);

const verdict = (health: Verdict['health'], more: Partial<Verdict> = {}): Verdict => ({
  health,
  authRequired: false,
  proof: health === 'healthy' ? 'proven' : 'unproven',
  reason: `it is ${health}`,
  steps: [{ asked: 'GET /', answered: health }],
  ...more,
});
const HEALTHY = verdict('healthy');
const REFUSED = verdict('unhealthy', { fault: 'connection', reason: 'connection refused' });
const NOT_READY = verdict('unhealthy', {
  fault: 'not_ready',
  reason: 'none of its endpoints is ready',
  steps: [],
});
const UNKNOWN = verdict('unknown');
const UNRESOLVED = {
  ...verdict('unhealthy', { reason: 'its name does not resolve' }),
  fault: 'resolution' as never,
};

/** A schedule on a clock that the test moves; `during` runs while the backend is asked. */
function setting() {
  const { signal } = new AbortController();
  const schedule: ScheduledProber = new ScheduledProber(
    {
      probe: () => {
        it.asked += 1;
        const { says } = it;
        it.during();
        return Promise.resolve(says);
      },
    },
    { refreshInterval: 5 * MINUTE, now: () => it.now, random: () => 0.5 },
  );
  const it = {
    schedule,
    now: 0,
    says: HEALTHY,
    asked: 0,
    during: (): void => {},
    /** Makes a pass, as the engine does. */
    async pass(candidates: readonly Candidate[] = [one]): Promise<Verdict> {
      await schedule.prepare(candidates, signal);
      const [verdict] = await Promise.all(candidates.map((each) => schedule.probe(each, signal)));
      return verdict as Verdict;
    },
    /** Makes a pass at a time, with the backend as it is from then on. */
    at(time: number, says: Verdict): Promise<Verdict> {
      it.now = time;
      it.says = says;
      return it.pass();
    },
  };
  return it;
}

/** A backend that was published and has been without a ready Pod for ten minutes. */
async function away() {
  const it = setting();
  await it.at(0, HEALTHY);
  for (let time = 5 * MINUTE; time < 15 * MINUTE; time += 15_000) await it.at(time, NOT_READY);
  return it;
}

describe('a backend that returns', () => {
  test('is probed after 1, 2, 4 and 8 s until its Pod is reachable, and then like others', async () => {
    const it = await away();
    it.now = 20 * MINUTE;
    it.says = REFUSED;
    it.schedule.invalidate(key, true);
    const pauses: (number | undefined)[] = [];
    for (let pass = 0; pass < 7; pass++) {
      expect((await it.pass()).health).toBe('unhealthy');
      const pause = it.schedule.nextRetry();
      pauses.push(pause);
      it.now += pause ?? 0;
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000]);
    it.says = HEALTHY;
    expect((await it.pass()).health).toBe('healthy');
    expect(it.schedule.nextRetry()).toBeUndefined();
  });

  test('is back with the first response, after the first second', async () => {
    const it = await away();
    it.now = 20 * MINUTE;
    it.says = REFUSED;
    it.schedule.invalidate(key, true);
    await it.pass();
    expect((await it.at(it.now + 999, HEALTHY)).health).toBe('unhealthy');
    expect((await it.at(it.now + 1, HEALTHY)).health).toBe('healthy');
  });

  test('was not probed without a Pod, so its backoff does not grow', async () => {
    const it = setting();
    for (let time = 0; time < 5 * MINUTE; time += 15_000) await it.at(time, NOT_READY);
    await it.at(5 * MINUTE, REFUSED);
    expect(it.schedule.nextRetry()).toBe(15_000);
  });

  test('is probed as often as a new one, however long it was unhealthy', async () => {
    const it = setting();
    for (let time = 0; time < 60 * MINUTE; time += 6 * MINUTE) await it.at(time, REFUSED);
    expect(it.schedule.nextRetry()).toBe(5 * MINUTE);
    it.schedule.invalidate(key, true);
    for (let pass = 0; pass < 5; pass++) {
      await it.pass();
      it.now += it.schedule.nextRetry() ?? 0;
    }
    await it.pass();
    expect(it.schedule.nextRetry()).toBe(30_000);
  });

  test('is probed early once per Pod that becomes ready, and not without one', async () => {
    const it = await away();
    it.says = REFUSED;
    it.schedule.invalidate(key, true);
    await it.pass();
    await it.at(it.now + 1_000, NOT_READY);
    expect(it.schedule.nextRetry()).toBe(15_000);
    await it.at(it.now + 15_000, REFUSED);
    expect(it.schedule.nextRetry()).toBe(15_000);
  });
});

describe('changes of Pods during a probe', () => {
  test('of a backend that was probed before cause another probe at once', async () => {
    const it = setting();
    await it.at(0, HEALTHY);
    it.now = 5 * MINUTE;
    it.during = () => {
      it.schedule.invalidate(key);
      it.during = () => {};
    };
    await it.pass();
    expect((await it.at(5 * MINUTE, NOT_READY)).reason).toMatch(/kept for now, failure 1/);
    expect(it.asked).toBe(3);
  });

  test('of a backend during its first probe do the same', async () => {
    const it = setting();
    it.says = REFUSED;
    it.during = () => {
      it.schedule.invalidate(key, true);
      it.during = () => {};
    };
    await it.pass();
    expect(it.schedule.nextRetry()).toBe(0);
    await it.pass();
    expect(it.asked).toBe(2);
    expect(it.schedule.nextRetry()).toBe(1_000);
  });

  test('of an unknown backend leave no state', async () => {
    const it = setting();
    it.schedule.invalidate(keyFor('shop/other'), true);
    await it.at(0, HEALTHY);
    expect(it.schedule.nextRetry()).toBeUndefined();
    await it.at(MINUTE, HEALTHY);
    expect(it.asked).toBe(1);
  });
});

describe('failures of different kinds', () => {
  const leavesAfter = async (says: readonly Verdict[], step = 16_000): Promise<number | undefined> => {
    const it = setting();
    await it.at(0, HEALTHY);
    for (const [index, each] of says.entries())
      if ((await it.at(5 * MINUTE + index * step, each)).health === 'unhealthy') return index + 1;
    return undefined;
  };

  test.each<[string, readonly Verdict[], number | undefined]>([
    ['three refused connections', [REFUSED, REFUSED, REFUSED], 3],
    ['three times without a ready Pod', [NOT_READY, NOT_READY, NOT_READY], 3],
    ['two without a Pod and one name that does not resolve', [NOT_READY, NOT_READY, UNRESOLVED], undefined],
    ['one of each', [NOT_READY, REFUSED, UNRESOLVED], undefined],
    ['a crash loop: without a Pod and refused in turn', Array(6).fill([NOT_READY, REFUSED]).flat(), 5],
    ['down and unreachable in turn', Array(9).fill([REFUSED, UNKNOWN]).flat(), 5],
    ['unreachable', Array(12).fill(UNKNOWN), undefined],
  ])('%s', async (_, says, expected) => {
    expect(await leavesAfter(says)).toBe(expected);
  });

  test('a Pod that becomes ready resets failures for readiness, and no others', async () => {
    const it = setting();
    await it.at(0, HEALTHY);
    await it.at(5 * MINUTE, NOT_READY);
    await it.at(5 * MINUTE + 16_000, NOT_READY);
    it.schedule.invalidate(key, true);
    expect((await it.at(5 * MINUTE + 32_000, NOT_READY)).health).toBe('healthy');
    await it.at(5 * MINUTE + 48_000, REFUSED);
    it.schedule.invalidate(key, true);
    await it.at(5 * MINUTE + 64_000, REFUSED);
    it.schedule.invalidate(key, true);
    expect((await it.at(5 * MINUTE + 80_000, REFUSED)).health).toBe('unhealthy');
  });
});

describe('a healthy backend becomes unhealthy', () => {
  test('half a minute after the first failure, however many there are', async () => {
    const it = setting();
    await it.at(0, HEALTHY);
    it.schedule.invalidate(key, true);
    let left: number | undefined;
    for (let time = 1; time < MINUTE && left === undefined; time += 500)
      if ((await it.at(time, REFUSED)).health === 'unhealthy') left = time;
    expect(left).toBeGreaterThanOrEqual(30_000);
    expect(it.asked).toBeGreaterThan(4);
  });

  test('after three failures, however far apart they are', async () => {
    const it = setting();
    await it.at(0, HEALTHY);
    expect((await it.at(10 * MINUTE, REFUSED)).health).toBe('healthy');
    expect((await it.at(20 * MINUTE, REFUSED)).health).toBe('healthy');
    expect((await it.at(30 * MINUTE, REFUSED)).health).toBe('unhealthy');
  });
});

test('one that no pass includes causes no retry', async () => {
  const it = setting();
  const other = found(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
  it.says = REFUSED;
  await it.pass([one, other]);
  expect(it.schedule.nextRetry()).toBe(15_000);
  const { signal } = new AbortController();
  it.says = HEALTHY;
  it.now = MINUTE;
  await it.schedule.prepare([one, other], signal);
  await it.schedule.probe(other, signal);
  expect(it.schedule.nextRetry()).toBeUndefined();
});
