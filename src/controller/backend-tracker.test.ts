import { beforeEach, describe, expect, test } from 'vitest';
import { detected, options, rules } from '../../test/fixtures/unit/detection.ts';
import { HEALTHY } from '../../test/fixtures/unit/engine.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { type Naming, NO_NAMING } from '../detection/names.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import { runAtOnce } from '../model/yield-every.ts';
import { BackendTracker, type Evaluation, GRACE } from './backend-tracker.ts';
import { PENDING } from './outcome.ts';

const UNHEALTHY: Verdict = { ...HEALTHY, health: 'unhealthy', proof: 'unproven', reason: 'it answered 500' };
const LOGIN: Verdict = { ...HEALTHY, proof: 'unproven', authRequired: true, reason: 'it answered 401' };

/** A Loki of an installation of its own. */
const loki = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, {
    labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': name },
    selector: { app: name },
    ports: ['http:3100'],
    ...fields,
  });
/** A backend of another kind. */
const thanos = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, { labels: { app: 'thanos' }, selector: { app: name }, ports: ['http:9090'], ...fields });
/** A way into one Loki that all of them share. */
const way = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  loki(name, { labels: { app: 'loki' }, selector: { app: 'loki' }, ...fields });

let now: number;
beforeEach(() => {
  now = 50_000;
});

/** A tracker, and what it is asked about. Backends that have no answer are pending. */
function tracking() {
  const tracker = new BackendTracker();
  tracker.setEntryPoints({ inUse: new Set(), companions: new Map() }, new Set());
  const answers = new Map<string, Verdict>();
  let candidates: readonly Candidate[] = [];
  let services: readonly Service[] = [];
  const it = {
    tracker,
    naming: NO_NAMING as Naming,
    answers,
    /** The probes of these throw. */
    broken: new Set<string>(),
    /** The Services of the cluster. */
    set(...all: readonly Service[]): void {
      services = all;
      ({ candidates } = detected(...services));
    },
    /** Another process has published these. */
    publish(...keys: readonly ServiceKey[]): void {
      tracker.setEntryPoints({ inUse: new Set(keys), companions: new Map() }, new Set(keys));
    },
    answer(name: string, verdict = HEALTHY): void {
      answers.set(name, verdict);
    },
    evaluate(changedAt?: number): Evaluation {
      const stages = { rules, problems: [], detection: options, maxBackends: 100, naming: it.naming };
      const detection = { ...detected(...services), candidates };
      const recall = ({ service: { name } }: Candidate): Verdict => {
        if (it.broken.has(name)) throw new Error('broken');
        return answers.get(name) ?? PENDING;
      };
      return runAtOnce(
        tracker.evaluate(tracker.backends(detection, stages, now), stages, [], recall, {
          now,
          changedAt,
          grace: GRACE,
        }),
      );
    },
    /** Evaluates and keeps the result, as each snapshot does. */
    commit(): Evaluation {
      const evaluation = it.evaluate();
      tracker.commit(evaluation);
      return evaluation;
    },
  };
  return it;
}
const names = ({ result }: Evaluation): string[] => result.services.map(({ service: { name } }) => name);

describe('a new backend without a verdict', () => {
  test('is left out, and delays others for at most two seconds', () => {
    const it = tracking();
    it.set(loki('a'), loki('b'));
    it.answer('a');
    expect(it.evaluate()).toMatchObject({ isComplete: false, recheckIn: 2_000 });
    expect(names(it.evaluate())).toEqual(['a']);
    now += 1_999;
    expect(it.evaluate()).toMatchObject({ isComplete: false, recheckIn: 1 });
    now += 1;
    expect(it.evaluate()).toMatchObject({ isComplete: true, recheckIn: undefined });
    expect(names(it.evaluate())).toEqual(['a']);
  });

  test('keeps the evaluation incomplete until the grace period of the last of several is over', () => {
    const it = tracking();
    it.set(loki('a'));
    it.evaluate();
    now += 500;
    it.set(loki('a'), loki('b'));
    expect(it.evaluate().recheckIn).toBe(1_500);
    now += 1_500;
    expect(it.evaluate()).toMatchObject({ isComplete: false, recheckIn: 500 });
    now += 500;
    expect(it.evaluate().isComplete).toBe(true);
  });
});

describe('a backend in use without a verdict', () => {
  test('stays as it was, and is unknown after ten seconds', () => {
    const it = tracking();
    it.set(loki('a'));
    it.answer('a');
    it.commit();
    it.answers.delete('a');
    it.set(loki('a', { ports: ['http:80'] }));
    expect(it.evaluate()).toMatchObject({
      isComplete: false,
      recheckIn: 10_000,
      result: { services: [{ endpoint: { port: 3100 }, verdict: { health: 'healthy' } }] },
    });
    now += 10_000;
    expect(it.evaluate()).toMatchObject({
      isComplete: true,
      result: {
        services: [
          { endpoint: { port: 3100 }, verdict: { health: 'unknown', proof: 'proven', pending: true } },
        ],
      },
    });
    it.commit();
    expect(it.commit()).toMatchObject({ result: { services: [{ endpoint: { port: 3100 } }] } });
  });

  test('is published in its current state if nothing is known from before', () => {
    const it = tracking();
    it.publish(keyFor('monitoring/a'));
    it.set(loki('a'));
    expect(it.evaluate()).toMatchObject({
      isComplete: false,
      recheckIn: 10_000,
      result: { services: [{ service: { name: 'a' }, verdict: { health: 'unknown' } }] },
    });
    it.commit();
    expect(names(it.commit())).toEqual(['a']);
  });

  test('is known to be in use, with the time', () => {
    const { tracker } = tracking();
    expect(new BackendTracker().inUseSince.size).toBe(0);
    const key = keyFor('monitoring/a');
    const company = { all: new Set<string>(), better: new Set<string>(), hasWorked: true, since: { at: 7 } };
    tracker.setEntryPoints({ inUse: new Set([key]), companions: new Map([[key, company]]) }, new Set());
    expect([...tracker.inUseSince]).toEqual([[key, { at: 7 }]]);
  });

  test('does not delay new ones', () => {
    const it = tracking();
    const pods = { selector: { app: 'shared' } };
    it.set(loki('a', pods));
    it.answer('a');
    it.commit();
    it.answers.delete('a');
    it.set(loki('a', { ...pods, ports: ['http:80'] }), thanos('b', pods));
    it.answer('b');
    expect(names(it.evaluate())).toEqual(['a', 'b']);
  });
});

describe('a backend with a verdict', () => {
  const pods = { selector: { app: 'shared' } };
  const called = (name: string) => ({
    annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': name },
  });

  test.each<[string, Service, Service]>([
    ['have its Pods', loki('a', pods), thanos('b', pods)],
    ['get its name, whatever the case', loki('a', called('Logs')), thanos('b', called('logs'))],
  ])('waits for one without that may %s', (_, first, second) => {
    const it = tracking();
    it.set(first, second);
    it.answer('b');
    expect(names(it.evaluate())).toEqual([]);
    it.answer('a');
    expect(names(it.evaluate()).length).toBe(2);
  });

  test.each<[string, Service, Service]>([
    ['other Pods and another name', loki('a', called('x')), thanos('b', called('y'))],
    ['no selector, as it has none either', loki('a', { selector: {} }), thanos('b', { selector: {} })],
    [
      'its Pods by name only, in another namespace',
      loki('a', { ...pods, namespace: 'other' }),
      thanos('b', pods),
    ],
  ])('does not wait for one with %s', (_, first, second) => {
    const it = tracking();
    it.set(first, second);
    it.answer('b');
    expect(names(it.evaluate())).toEqual(['b']);
  });

  test('stays while one is added that may have its Pods', () => {
    const it = tracking();
    it.set(thanos('b', pods));
    it.answer('b');
    it.commit();
    it.set(loki('a', pods), thanos('b', pods));
    expect(names(it.evaluate())).toEqual(['b']);
  });

  test('waits at most two seconds, even if others keep coming', () => {
    const it = tracking();
    it.answer('b');
    const others: Service[] = [];
    for (let each = 0; each < 4; each++, now += 500) {
      others.push(loki(`a${each}`, called('logs')));
      it.set(...others, thanos('b', called('logs')));
      expect(it.evaluate()).toMatchObject({ isComplete: false, result: { services: [] } });
    }
    expect(names(it.evaluate())).toEqual(['b']);
  });
});

describe('the start of a delayed change', () => {
  test('is the earliest of the changes whose backends now have a verdict', () => {
    const it = tracking();
    it.set(loki('a'));
    expect(it.evaluate(100).changedAt).toBe(100);
    it.set(loki('a'), loki('b'));
    it.evaluate(200);
    it.set(loki('a'), loki('b'), loki('c'));
    it.evaluate(300);
    it.answer('a');
    it.answer('b');
    expect(it.evaluate().changedAt).toBe(100);
    it.answer('c');
    expect(it.evaluate(400).changedAt).toBe(300);
    expect(it.evaluate(500).changedAt).toBe(500);
  });

  test('is unknown if only verdicts are new, or nothing is', () => {
    const it = tracking();
    it.set(loki('a'));
    it.evaluate();
    it.answer('a');
    expect(it.evaluate().changedAt).toBeUndefined();
    expect(it.evaluate().changedAt).toBeUndefined();
  });

  test('does not count while the verdict is still pending', () => {
    const it = tracking();
    it.set(loki('a'));
    it.evaluate(100);
    expect(it.evaluate().changedAt).toBeUndefined();
  });
});

describe('a backend in use whose probe starts anew all the time', () => {
  const healthOf = (it: ReturnType<typeof tracking>) => it.commit().result.services[0]?.verdict.health;
  function restarted(verdict: Verdict) {
    const it = tracking();
    it.set(loki('a'));
    it.answer('a', verdict);
    it.commit();
    const seen: (string | undefined)[] = [];
    for (let each = 0; each < 20; each++, now += 1_000) {
      it.answers.clear();
      it.set(loki('a', { annotations: { 'kubernaut.io/toolset-health-path': `/${each}` } }));
      seen.push(healthOf(it));
    }
    it.answer('a');
    return { seen: [...new Set(seen)], it };
  }

  test('stays unhealthy, so that it is not published without having worked, until it answers', () => {
    const { seen, it } = restarted(UNHEALTHY);
    expect(seen).toEqual(['unhealthy']);
    expect(healthOf(it)).toBe('healthy');
  });

  test('is unknown after a while if it worked', () => {
    expect(restarted(HEALTHY).seen).toEqual(['healthy', 'unknown']);
  });
});

describe('a Service that returns', () => {
  const AS_ANOTHER: Verdict = { ...UNHEALTHY, proof: 'contradicted', reason: 'it is another product' };
  const named = (name: string) =>
    loki(name, { annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'logs' } });
  const toolsOf = ({ result }: Evaluation) => result.services.map(({ tool }) => tool);

  test.each([
    ['worked', HEALTHY],
    ['never worked', UNHEALTHY],
    ['was something else', AS_ANOTHER],
    ['never answered', undefined],
  ])('and that %s waits for an answer, with neither a tool nor a name', (_, before) => {
    const it = tracking();
    it.set(named('a'));
    if (before !== undefined) it.answer('a', before);
    else now += 10_000;
    it.commit();
    it.set();
    it.answers.clear();
    expect(toolsOf(it.commit())).toEqual([]);
    it.set(named('a'), loki('b'));
    it.answer('b');
    for (const passed of [0, 1_900, 10_000, 60_000]) {
      now += passed;
      expect(toolsOf(it.commit())).toEqual(['b.monitoring']);
    }
    it.answer('a');
    expect(toolsOf(it.commit())).toEqual(['logs', 'b.monitoring']);
  });

  test('is not published by a process that starts then', () => {
    const it = tracking();
    const [shown, other] = [keyFor('monitoring/shown'), keyFor('monitoring/other')];
    it.tracker.setEntryPoints({ inUse: new Set([shown, other]), companions: new Map() }, new Set([shown]));
    it.set(loki('shown'), loki('other'));
    expect(toolsOf(it.evaluate())).toEqual(['shown.monitoring']);
    now += 60_000;
    expect(toolsOf(it.commit())).toEqual(['shown.monitoring']);
    it.set(loki('other'));
    it.commit();
    it.set(loki('shown'), loki('other'));
    expect(toolsOf(it.commit())).toEqual([]);
  });
});

describe('a backend is evaluated again', () => {
  const outcomeOf = (it: ReturnType<typeof tracking>) => it.evaluate().outcomes[0];

  test('only if an input of its outcome changes', () => {
    const it = tracking();
    it.set(way('loki-gateway'), way('loki-read'));
    it.answer('loki-gateway', UNHEALTHY);
    it.answer('loki-read');
    const before = outcomeOf(it);
    expect(before?.service?.service.name).toBe('loki-read');
    expect(outcomeOf(it)).toBe(before);
    it.answer('loki-read', UNHEALTHY);
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-gateway');
    it.answer('loki-gateway');
    expect(outcomeOf(it)?.service?.verdict.health).toBe('healthy');
  });

  test('if overrides name one of its Services', () => {
    const it = tracking();
    it.set(way('loki-gateway'), way('loki-read'));
    it.publish(keyFor('monitoring/loki-read'));
    it.answer('loki-gateway', LOGIN);
    it.answer('loki-read', LOGIN);
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-read');
    it.naming = { ...NO_NAMING, named: new Set([keyFor('monitoring/loki-gateway')]) };
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-gateway');
  });

  test('if overrides name the one that is preferred', () => {
    const it = tracking();
    it.set(way('loki-gateway'), way('loki-read'));
    it.answer('loki-gateway', LOGIN);
    it.answer('loki-read');
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-read');
    it.naming = { ...NO_NAMING, named: new Set([keyFor('monitoring/loki-gateway')]) };
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-gateway');
  });

  test('if another of its Services is in use, and would give its place back', () => {
    const it = tracking();
    const lost: Verdict = { ...HEALTHY, health: 'unknown', proof: 'unproven', fault: 'connection' };
    it.set(way('loki-gateway'), way('loki-read'));
    it.answer('loki-gateway', lost);
    it.answer('loki-read', lost);
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-gateway');
    const better = new Set(['loki-gateway']);
    const company = { all: better, better, hasWorked: true, since: { at: now } };
    const key = keyFor('monitoring/loki-read');
    it.tracker.setEntryPoints({ inUse: new Set([key]), companions: new Map([[key, company]]) }, new Set());
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-read');
  });

  test('if another of its Services is in use', () => {
    const it = tracking();
    it.set(way('loki-gateway'), way('loki-read'));
    it.answer('loki-gateway', LOGIN);
    it.answer('loki-read', LOGIN);
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-gateway');
    it.publish(keyFor('monitoring/loki-read'));
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-read');
  });

  test('if overrides give its URL', () => {
    const it = tracking();
    it.set(loki('a'));
    it.answer('a', UNHEALTHY);
    expect(outcomeOf(it)?.service?.verdict.health).toBe('unhealthy');
    it.naming = { ...NO_NAMING, placed: new Set([keyFor('monitoring/a')]) };
    const placed = outcomeOf(it);
    expect(placed?.service?.verdict.health).toBe('unknown');
    expect(outcomeOf(it)).toBe(placed);
  });

  test('after its probe threw', () => {
    const it = tracking();
    it.set(way('loki-gateway'), way('loki-read'));
    it.answer('loki-gateway', UNHEALTHY);
    it.broken.add('loki-read');
    expect(outcomeOf(it)?.problem?.what).toContain('which is a bug');
    it.broken.clear();
    it.answer('loki-read');
    expect(outcomeOf(it)?.service?.service.name).toBe('loki-read');
    it.broken.add('loki-read');
    expect(outcomeOf(it)?.problem?.what).toContain('which is a bug');
  });
});

describe('a better entry point of a backend, with Pods of its own', () => {
  const gateway = way('loki-gateway', { selector: { app: 'loki', part: 'gateway' } });
  const read = way('loki-read', { selector: { app: 'loki', part: 'read' } });
  const whole = way('loki', { selector: { app: 'loki' } });
  /** One that was there, and failed, when the other one came into use. */
  const displaced = () => {
    const it = tracking();
    it.set(gateway, whole, read);
    it.answer('loki-gateway', UNHEALTHY);
    it.answer('loki', UNHEALTHY);
    it.answer('loki-read');
    expect(names(it.commit())).toEqual(['loki-read']);
    return it;
  };

  test('returns as soon as it works', () => {
    const it = displaced();
    it.answer('loki-gateway');
    expect(names(it.evaluate())).toEqual(['loki-gateway']);
  });

  test('returns even if the one in use did not respond for a while', () => {
    const it = displaced();
    it.answers.delete('loki-read');
    it.evaluate();
    now += 10_000;
    expect(it.commit().result.services).toMatchObject([
      { service: { name: 'loki-read' }, verdict: { health: 'unknown' } },
    ]);
    it.answer('loki-read');
    it.answer('loki-gateway');
    expect(names(it.evaluate())).toEqual(['loki-gateway']);
  });

  test('that came later is a backend of its own once the one in use fails, and takes nothing', () => {
    const it = tracking();
    it.set(whole, read);
    it.answer('loki', UNHEALTHY);
    it.answer('loki-read');
    expect(names(it.commit())).toEqual(['loki-read']);
    it.set(gateway, whole, read);
    it.answer('loki-gateway');
    expect(names(it.commit())).toEqual(['loki-read']);
    it.answer('loki-read', UNHEALTHY);
    it.answer('loki-gateway', UNHEALTHY);
    expect(names(it.commit())).toEqual(['loki-read']);
    it.answer('loki-gateway');
    expect(names(it.commit())).toEqual(['loki-read']);
    expect(names(it.commit())).toEqual(['loki-gateway', 'loki-read']);
    it.answer('loki-read');
    expect(names(it.commit())).toEqual(['loki-gateway', 'loki-read']);
  });

  test('replaces none after another leader has published, since it may be newer', () => {
    const it = displaced();
    it.tracker.forgetEntryPoints();
    expect(it.tracker.knowsEntryPoints).toBe(false);
    it.publish(keyFor('monitoring/loki-read'));
    it.answer('loki-gateway');
    expect(names(it.evaluate())).toEqual(['loki-read']);
  });
});
