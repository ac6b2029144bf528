import { describe, expect, test } from 'vitest';
import {
  builtIn,
  candidate,
  detected,
  discovered,
  options,
  rules,
} from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, service } from '../../test/fixtures/unit/service.ts';
import { type Customisation, makeRules } from '../detection/make-rules.ts';
import { NO_NAMING } from '../detection/names.ts';
import type { Rules } from '../detection/rules.ts';
import { detectorOptions } from '../model/detector-options.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import type { Service, ServiceKey } from '../model/service.ts';
import type { Prober } from '../probing/prober.ts';
import { isPlaced, PENDING, probeBackend, recallBackend } from './outcome.ts';
import { backendsOf, discover, probeKinds, type Stages } from './pass.ts';

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

const passOver = (services: readonly Service[], more: Partial<Stages>) =>
  discover(
    services,
    {
      ...{ rules, problems: [], detection: options, maxBackends: 1_000 },
      prober: { probe: async () => healthy },
      ...more,
    },
    new AbortController().signal,
  );

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
    const scraped = service('checkout', {
      annotations: { 'prometheus.io/scrape': 'true' },
      ports: ['http:8080'],
    });
    // One with only a hint does not count.
    expect((await passOver([scraped, loki], { prober: { probe: async () => verdict } })).disproven).toBe(1);
    const blank = { ...healthy, fix: 'give its path' };
    expect((await passOver([scraped, loki], { prober: { probe: async () => blank } })).disproven).toBe(0);
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

describe('a pass reports', () => {
  test('rules that were skipped, what the prober says, and names that are not given', async () => {
    const problem = (where: string) => ({ where, what: 'is wrong' });
    const [one, two] = ['one', 'two'].map((name) => offered(name, { name: 'logs' })) as [Service, Service];
    const kept = offered('other', { name: 'metrics' });
    const { problems } = await passOver([one, two, kept], {
      problems: [problem('rules')],
      prober: { prepare: async () => [problem('prober')], probe: async () => healthy },
      naming: {
        ...NO_NAMING,
        held: new Map([['metrics', { cluster: '', namespace: 'shop', members: ['gone'] }]]),
      },
    });
    expect(problems.map(({ where }) => where)).toEqual([
      ...['rules', 'prober', 'Service monitoring/other', 'Service monitoring/two'],
    ]);
  });
});

test('all entry points are prepared, except those of backends with a URL from overrides', async () => {
  const asked: string[] = [];
  const gateway = service('loki-gateway', { labels: { app: 'loki' }, selector: { app: 'x' }, ports: [80] });
  await passOver([gateway, { ...loki, selector: { app: 'x' } }, prometheus], {
    prober: {
      prepare: async (entryPoints) => {
        asked.push(...entryPoints.map((each) => each.service.name));
        return [];
      },
      probe: async () => healthy,
    },
    naming: { ...NO_NAMING, placed: new Set([keyFor('monitoring/prometheus')]) },
  });
  expect(asked.sort()).toEqual(['loki', 'loki-gateway']);
});

test('probes know the path of each kind, without those of special names and labels', () => {
  const kind = (paths: readonly object[]) =>
    probeKinds({ detectors: [{ detector: { type: 'x', title: 'X', probe: {}, paths } }] } as never)[0]?.path;
  const [named, labelled, usual] = [
    { words: ['query'], path: '/query' },
    { words: [], when: { labels: {} }, path: '/labelled' },
    { words: [], path: '/usual/' },
  ];
  expect(kind([named, labelled, usual])).toBe('/usual');
  expect(kind([named, labelled])).toBe('');
});

describe('the outcome of a backend', () => {
  const { context } = backendsOf(detected(), { rules, problems: [], detection: options, maxBackends: 1 });
  const { signal } = new AbortController();
  const probed = (verdict: Partial<Verdict>, one = candidate(loki)) =>
    probeBackend(one, context, async () => ({ ...healthy, ...verdict }), signal);

  test('has the place and the way of asking that the probe found', async () => {
    const { service: found } = await probed({ scheme: 'https', port: 8443, path: '/x', mode: 'sse' });
    expect(found).toMatchObject({ endpoint: { scheme: 'https', port: 8443, path: '/x' }, mode: 'sse' });
  });

  test('has the problem that people can fix', async () => {
    expect(await probed({ reason: 'GET / answered 404', fix: 'give its path' })).toMatchObject({
      service: { service: { name: 'loki' } },
      problem: { where: 'Service monitoring/loki', what: 'GET / answered 404', fix: 'give its path' },
    });
  });

  test('has the answers of one that may not be what it is', async () => {
    const { rules: scoped } = makeRules(builtIn, {
      ...{ added: [], disabled: [] },
      options: { thanos: detectorOptions.parse({ enabled: false }) },
    });
    const answer: Verdict = { ...healthy, provenAs: 'thanos', steps: [{ asked: 'GET /', answered: '200' }] };
    const { used } = await probeBackend(
      candidate(loki),
      { ...context, rules: scoped },
      async () => answer,
      signal,
    );
    expect(used?.verdict).toMatchObject({ health: 'healthy', proof: 'contradicted', steps: answer.steps });
  });

  test('is that of the entry point in use while a better one has not answered', () => {
    const [a, b] = ['a', 'b'].map((name) =>
      candidate(service(name, { labels: { app: 'loki' }, ports: [3100] })),
    );
    const both = { ...(a as Candidate), alternates: ['b'], fallbacks: [b as Candidate] };
    const inUse = new Set([keyFor('monitoring/b')]);
    const recall = (way: Candidate): Verdict => (way === both ? PENDING : healthy);
    expect(recallBackend(both, { ...context, inUse }, recall, true)).toMatchObject({
      service: { service: { name: 'b' }, verdict: { health: 'healthy' } },
    });
    // It is unknown that it requires a login until it has answered.
    expect(recallBackend(both, { ...context, inUse }, () => PENDING, true)).toMatchObject({
      isPending: true,
      service: { service: { name: 'b' }, verdict: { pending: true, authRequired: false } },
    });
  });

  test('is that it works if overrides give the URL, also of another one of its Services', async () => {
    const placed = new Set([keyFor('monitoring/loki-read')]);
    expect(isPlaced({ ...candidate(loki), alternates: ['loki-read'] }, placed)).toBe(true);
    const found = await passOver([loki], {
      naming: { ...NO_NAMING, placed: new Set([keyFor('monitoring/loki')]) },
    });
    expect(found.services).toMatchObject([{ verdict: { authRequired: false, health: 'unknown' } }]);
    expect([...found.companions.values()]).toMatchObject([{ hasWorked: true }]);
  });
});
