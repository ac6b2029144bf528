import { describe, expect, test } from 'vitest';
import { builtIn, discovered, options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { type Customisation, makeRules } from '../detection/make-rules.ts';
import { NO_NAMING } from '../detection/names.ts';
import type { Rules } from '../detection/rules.ts';
import { detectorOptions } from '../model/detector-options.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { Prober } from '../probing/prober.ts';
import { discover } from './pass.ts';

const prometheus = service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] });
const loki = service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] });
const { verdict: healthy } = discovered(prometheus);

function pass(prober: Prober['probe'], with_: Rules = rules, signal = new AbortController().signal) {
  const stages = {
    rules: with_,
    problems: [],
    prober: { probe: prober },
    detection: options,
    maxBackends: 1_000,
  };
  return discover([prometheus, loki], stages, signal);
}

const names = (found: Awaited<ReturnType<typeof pass>>): string[] =>
  found.services.map((each) => each.service.name);

describe('a pass', () => {
  test('a probe that throws is reported, and the others still count', async () => {
    const found = await pass(({ service: { name } }) =>
      name === 'loki' ? Promise.reject(new TypeError('oops')) : Promise.resolve(healthy),
    );
    expect(names(found)).toEqual(['prometheus']);
    expect(found.problems).toEqual([
      expect.objectContaining({ where: 'Service monitoring/loki', what: expect.stringContaining('oops') }),
    ]);
  });

  test('a detector that fails is reported, and the others still count', async () => {
    const broken = rules.detectors.map((compiled) =>
      compiled.detector.type === 'loki' ? { ...compiled, names: undefined as never } : compiled,
    );
    const found = await pass(() => Promise.resolve(healthy), { ...rules, detectors: broken });
    expect(names(found)).toEqual(['prometheus']);
    expect(found.problems[0]?.what).toContain('the detector loki failed');
  });

  test('a candidate with only a hint is no backend until it is proven', async () => {
    const scraped = service('checkout', {
      annotations: { 'prometheus.io/scrape': 'true' },
      ports: ['http:8080'],
    });
    const found = (verdict: Verdict) =>
      discover(
        [scraped],
        {
          rules,
          problems: [],
          prober: { probe: () => Promise.resolve(verdict) },
          detection: options,
          maxBackends: 1_000,
        },
        new AbortController().signal,
      );
    expect(await found(healthy)).toMatchObject({ services: [], problems: [] });
    expect((await found({ ...healthy, proof: 'proven' })).services).toMatchObject([{ type: 'prometheus' }]);
  });

  test('an abort ends it', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stop'));
    const never = pass(() => Promise.reject(stop.signal.reason), rules, stop.signal);
    await expect(never).rejects.toThrow('stop');
  });

  test('a candidate that proves to be another kind becomes that, which is reported', async () => {
    const verdict: Verdict = { ...healthy, provenAs: 'thanos', path: '/thanos' };
    const found = await pass(({ service: { name } }) => Promise.resolve(name === 'loki' ? healthy : verdict));
    expect(found.services.find((each) => each.service.name === 'prometheus')).toMatchObject({
      type: 'thanos',
      endpoint: { path: '/thanos' },
    });
    expect(found.problems[0]?.what).toMatch(/looks like prometheus, but is thanos/);
  });

  test.each<[string, Customisation['options'], RegExp]>([
    [
      'in other namespaces only',
      { thanos: detectorOptions.parse({ namespaces: ['prod-*'] }) },
      /prod-\* only \(namespaces of thanos in detectors\)$/,
    ],
    [
      'not in this one',
      { thanos: detectorOptions.parse({ excludeNamespaces: ['monitoring'] }) },
      /keeps it out of this namespace \(excludeNamespaces of thanos in detectors\)$/,
    ],
    [
      'with an annotation',
      { thanos: detectorOptions.parse({ requiredAnnotations: { team: '*' } }) },
      /wants all of the annotations team \(requiredAnnotations of thanos in detectors\)$/,
    ],
    [
      'not at all',
      { thanos: detectorOptions.parse({ enabled: false }) },
      /switches off \(enabled: false of thanos in detectors\)$/,
    ],
  ])('no response makes a Service a type that the configuration wants %s', async (_, set, why) => {
    const { rules: scoped } = makeRules(builtIn, { added: [], options: set, disabled: [] });
    const verdict: Verdict = { ...healthy, provenAs: 'thanos' };
    const found = await pass(
      ({ service: { name } }) => Promise.resolve(name === 'loki' ? verdict : healthy),
      scoped,
    );
    expect(names(found)).toEqual(['prometheus']);
    expect(found.contradicted).toEqual(['loki.monitoring']);
    expect(found.problems).toEqual([
      {
        where: 'Service monitoring/loki',
        what: expect.stringMatching(why),
        fix: 'if its API is at another port or path, give its URL as the endpoint of monitoring/loki under tools in overrides.yaml, or set its path in detectors.loki.paths["monitoring/loki"]',
      },
    ]);
    expect(found.problems[0]?.what).toContain('looks like loki');
    expect(found.problems[0]?.what).toContain('is left out: it answers as thanos, ');
  });

  test('a candidate that its responses contradict is left out and reported', async () => {
    const verdict: Verdict = { ...healthy, health: 'unhealthy', proof: 'contradicted' };
    const found = await pass(() => Promise.resolve(verdict));
    expect(found.services).toEqual([]);
    expect(found.disproven).toBe(2);
    expect(found.problems.map(({ where }) => where)).toEqual([
      'Service monitoring/loki',
      'Service monitoring/prometheus',
    ]);
  });
});

describe('a backend with a URL from overrides', () => {
  const other = service('loki-gateway', { labels: { app: 'loki' }, ports: ['http:80'] });
  const naming = (...keys: readonly ServiceKey[]) => ({
    ...NO_NAMING,
    named: new Set(keys),
    placed: new Set(keys),
  });
  const found = (probe: Prober['probe'], placed: string, ...services: readonly Service[]) =>
    discover(
      services,
      {
        rules,
        problems: [],
        prober: { probe },
        detection: options,
        maxBackends: 1_000,
        naming: naming(keyFor(placed)),
      },
      new AbortController().signal,
    );
  const answers: Verdict[] = [
    { ...healthy, proof: 'contradicted', reason: 'it answers 404' },
    { ...healthy, proof: 'proven', provenAs: 'elasticsearch' },
    { ...healthy, health: 'unhealthy' },
  ];

  test.each(answers)('is not probed, and no response changes it: %j', async (answer) => {
    const asked: string[] = [];
    const probe = (way: Candidate): Promise<Verdict> => {
      asked.push(way.service.name);
      return Promise.resolve(way.service.name === 'prometheus' ? healthy : answer);
    };
    for (const services of [[loki], [other, loki]]) {
      asked.length = 0;
      const {
        services: left,
        contradicted,
        problems,
      } = await found(probe, 'monitoring/loki', prometheus, ...services);
      expect(asked).toEqual(['prometheus']);
      expect(left.map(({ service: { name }, type }) => `${name} ${type}`)).toContain('loki loki');
      expect([contradicted, problems]).toEqual([[], []]);
    }
  });

  test('is probed if only its responses show the type', async () => {
    const scraped = service('checkout', {
      annotations: { 'prometheus.io/scrape': 'true' },
      ports: ['http:8080'],
    });
    const probe = (): Promise<Verdict> => Promise.resolve({ ...healthy, proof: 'proven' });
    const { services } = await found(probe, 'monitoring/checkout', scraped);
    expect(services).toMatchObject([{ type: 'prometheus', verdict: { proof: 'proven' } }]);
  });
});
