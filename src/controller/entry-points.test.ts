import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, service } from '../../test/fixtures/unit/service.ts';
import { NO_NAMING } from '../detection/names.ts';
import type { Candidate, DiscoveredService, Verdict } from '../model/discovery.ts';
import { toolsetOf } from '../model/documents.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { Service } from '../model/service.ts';
import type { Companions, InUse } from './company.ts';
import { type DiscoveryResult, discover } from './pass.ts';
import { publishedUse } from './published-use.ts';

/** A way to the Pods of one Loki. */
const loki = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, {
    labels: { app: 'loki' },
    selector: { app: 'loki' },
    ports: ['http-metrics:3100'],
    ...fields,
  });
/** A part of it, with Pods of its own. */
const part = (name: string): Service => loki(name, { selector: { app: 'loki', part: name } });
const gateway = loki('loki-gateway');
const frontend = loki('loki-query-frontend');
const querier = loki('loki-querier');

const verdict = (
  health: Verdict['health'],
  reason: string,
  proof: Verdict['proof'] = 'unproven',
): Verdict => ({
  health,
  authRequired: false,
  proof,
  reason,
  steps: [{ asked: 'GET /ready', answered: reason }],
});
const GOOD = verdict('healthy', 'GET /ready answered 200', 'proven');
const BAD_GATEWAY = verdict('unhealthy', 'GET /ready answered 502');
const NOT_READY: Verdict = {
  ...verdict('unhealthy', 'none of its endpoints is ready'),
  fault: 'not_ready',
  steps: [],
};
const LOGIN = verdict('healthy', 'GET /ready answered 401: alive, requires credentials');
const STRANGER = verdict('unhealthy', 'no response proves its type', 'contradicted');
const UNKNOWN = verdict('unknown', 'not probed');

/** Backends whose answers the test sets, and passes over them that know which ways are in use. */
function setting(services: readonly Service[], inUse: InUse = new Set()) {
  const it = {
    inUse,
    companions: new Map() as Companions,
    named: new Set() as InUse,
    configured: new Set<string>(),
    answers: {} as Record<string, Verdict>,
    asked: [] as string[],
    async pass(): Promise<DiscoveryResult> {
      it.asked = [];
      const prober = {
        probe: ({ service: { name } }: Candidate): Promise<Verdict> => {
          it.asked.push(name);
          return Promise.resolve(it.answers[name] ?? GOOD);
        },
      };
      const { inUse, companions } = it;
      const stages = {
        rules,
        problems: [],
        prober,
        detection: options,
        maxBackends: 100,
        inUse,
        companions,
        naming: { ...NO_NAMING, named: it.named, configured: it.configured },
      };
      const found = await discover(services, stages, new AbortController().signal);
      ({ inUse: it.inUse, companions: it.companions } = found);
      return found;
    },
    /** The one backend that there is, by the Service that is used. */
    async used(answers: Record<string, Verdict> = {}): Promise<string | undefined> {
      it.answers = answers;
      const { services: found } = await it.pass();
      expect(found.length).toBeLessThanOrEqual(1);
      return found[0]?.service.name;
    },
  };
  return it;
}

const published = (service: string): PublishedTool => ({
  name: 'x',
  type: 'loki',
  endpoint: 'http://x',
  description: 'x',
  namespace: 'monitoring',
  metadata: { service },
});

const live = (tools: readonly PublishedTool[]) => ({ present: toolsetOf({}, () => tools), annotations: {} });
/** What is in use by what is published. */
const publishedInUse = (name: string): InUse => publishedUse(live([published(name)])).inUse;

const evidence = ({ evidence: all }: DiscoveredService): string[] =>
  all.filter(({ signal }) => signal === 'group').map(({ detail }) => detail);

describe('the entry point in use', () => {
  test('is the preferred one if that works; the others are not probed', async () => {
    const it = setting([gateway, frontend, querier]);
    expect(await it.used()).toBe('loki-gateway');
    expect(it.asked).toEqual(['loki-gateway']);
  });

  test('stays until the preferred one is proven, which does not come later', async () => {
    const before = setting([frontend]);
    expect(await before.used()).toBe('loki-query-frontend');
    const later = setting([gateway, frontend, querier], before.inUse);
    expect(await later.used()).toBe('loki-query-frontend');
    const it = setting([gateway, frontend, querier]);
    expect(await it.used({ 'loki-gateway': NOT_READY })).toBe('loki-query-frontend');
    expect(await it.used({ 'loki-gateway': LOGIN })).toBe('loki-query-frontend');
    expect(await it.used({ 'loki-gateway': UNKNOWN })).toBe('loki-query-frontend');
    expect(await it.used({ 'loki-gateway': STRANGER })).toBe('loki-query-frontend');
    const nothingKnown = { 'loki-gateway': UNKNOWN, 'loki-query-frontend': UNKNOWN };
    expect(await it.used(nothingKnown)).toBe('loki-query-frontend');
    expect(it.asked).toEqual(['loki-gateway', 'loki-query-frontend']);
    expect(await it.used({ 'loki-gateway': GOOD })).toBe('loki-gateway');
    expect(it.asked).toEqual(['loki-gateway']);
    expect(await it.used({ 'loki-gateway': UNKNOWN })).toBe('loki-gateway');
  });

  test.each([
    ['dead', BAD_GATEWAY],
    ['contradicted', STRANGER],
    ['contradicted by a login page', { ...STRANGER, authRequired: true }],
  ])('is a healthy one if the preferred one is %s, with the reason', async (_, answer) => {
    const it = setting([gateway, frontend, querier]);
    it.answers = { 'loki-gateway': answer };
    const { services: found, problems } = await it.pass();
    expect(
      found.map(({ service: { name }, alternates, verdict: { health } }) => [name, alternates, health]),
    ).toEqual([['loki-query-frontend', ['loki-gateway', 'loki-querier'], 'healthy']]);
    expect(problems).toEqual([]);
    expect(evidence(found[0] as DiscoveredService)).toEqual([
      `loki-gateway is preferred, and loki-query-frontend is used until it works: Service loki-gateway: ${answer.reason}`,
    ]);
    expect(it.asked).toEqual(['loki-gateway', 'loki-query-frontend']);
  });

  const CLOSED: Verdict = { ...LOGIN, authRequired: true };
  const BLANK: Verdict = { ...UNKNOWN, reason: 'GET /ready answered 404', fix: 'give its path' };

  test.each([
    ['wants a login', CLOSED],
    ['answers 404 everywhere', BLANK],
  ])('is one that proves itself openly if the preferred one %s', async (_, answer) => {
    const it = setting([gateway, frontend, querier]);
    it.answers = { 'loki-gateway': answer, 'loki-query-frontend': CLOSED };
    const { services: found } = await it.pass();
    expect(found.map(({ service: { name } }) => name)).toEqual(['loki-querier']);
    expect(evidence(found[0] as DiscoveredService)).toEqual([
      `loki-gateway is preferred, but loki-querier is used, because it requires no login: Service loki-gateway: ${answer.reason}`,
    ]);
    expect(await it.used({ 'loki-gateway': answer })).toBe('loki-querier');
    expect(await it.used({ 'loki-gateway': GOOD })).toBe('loki-gateway');
  });

  test.each([
    ['wants a login', { ...GOOD, authRequired: true }],
    ['does not prove itself', verdict('healthy', 'GET /ready answered 200')],
    ['is unhealthy', { ...GOOD, health: 'unhealthy' as const }],
  ])('is none that %s if the preferred one wants a login', async (_, answer) => {
    const it = setting([gateway, frontend, querier]);
    expect(await it.used({ 'loki-gateway': CLOSED, 'loki-query-frontend': answer })).toBe('loki-querier');
  });

  test('stays, with the reason, if the preferred one wants a login and it does not prove itself', async () => {
    const it = setting([gateway, frontend]);
    expect(await it.used({ 'loki-gateway': NOT_READY })).toBe('loki-query-frontend');
    it.answers = { 'loki-gateway': CLOSED, 'loki-query-frontend': LOGIN };
    const { services: found } = await it.pass();
    expect(evidence(found[0] as DiscoveredService)).toEqual([
      expect.stringMatching(/^loki-gateway is preferred, and loki-query-frontend is used until it works: /),
    ]);
  });

  test('is the preferred one if all want a login, or a person named it', async () => {
    const it = setting([gateway, frontend]);
    expect(await it.used({ 'loki-gateway': CLOSED, 'loki-query-frontend': CLOSED })).toBe('loki-gateway');
    it.named = new Set([keyFor('monitoring/loki-gateway')]);
    for (const answer of [CLOSED, BLANK]) {
      expect(await it.used({ 'loki-gateway': answer })).toBe('loki-gateway');
      expect(it.asked).toEqual(['loki-gateway']);
    }
  });

  test.each([
    ['credentials for its type', 'loki monitoring', true],
    ['credentials for its type, everywhere', 'loki *', true],
    ['options for its namespace', '* monitoring', true],
    ['options for every backend', '* *', true],
    ['credentials for another type', 'tempo monitoring', false],
    ['credentials for another namespace', 'loki shop', false],
  ])('is the preferred one if that wants a login, and there are %s: %s, %j', async (_, key, stays) => {
    const it = setting([gateway, frontend]);
    it.configured = new Set([key]);
    expect(await it.used({ 'loki-gateway': CLOSED })).toBe(stays ? 'loki-gateway' : 'loki-query-frontend');
  });

  test('stays if it wants a login, and only a newer Service answers openly', async () => {
    const at = (minute: number, one: Service): Service => ({
      ...one,
      created: `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`,
    });
    const old = at(0, part('loki-gateway'));
    const later = setting([old, at(30, part('loki-querier'))], publishedInUse('loki-gateway'));
    expect(await later.used({ 'loki-gateway': CLOSED })).toBe('loki-gateway');
    const soon = [old, at(5, part('loki-querier'))];
    const inUse = setting(soon, publishedInUse('loki-gateway'));
    expect(await inUse.used({ 'loki-gateway': CLOSED })).toBe('loki-gateway');
    for (const services of [soon, [old, at(10, part('loki-querier'))]])
      expect(await setting(services).used({ 'loki-gateway': CLOSED })).toBe('loki-querier');
    const samePods = setting([old, at(30, { ...part('loki-gateway'), name: 'loki-querier' })]);
    expect(await samePods.used({ 'loki-gateway': CLOSED })).toBe('loki-gateway');
  });

  test('is the next one in order if several fail, and stays that one', async () => {
    const it = setting([gateway, frontend, querier]);
    const dead = { 'loki-gateway': BAD_GATEWAY, 'loki-query-frontend': BAD_GATEWAY };
    expect(await it.used(dead)).toBe('loki-querier');
    expect(await it.used({ 'loki-gateway': BAD_GATEWAY })).toBe('loki-querier');
    expect(it.asked).toEqual(['loki-gateway', 'loki-querier']);
    expect(await it.used()).toBe('loki-gateway');
  });

  test('is a reachable one if the preferred one is lost in an outage; it stays if all are lost', async () => {
    const lost: Verdict = { ...UNKNOWN, fault: 'connection', reason: 'no backend can be reached' };
    const it = setting([gateway, frontend, querier]);
    const all = { 'loki-gateway': lost, 'loki-query-frontend': lost, 'loki-querier': lost };
    expect(await it.used(all)).toBe('loki-gateway');
    expect(it.asked).toEqual(['loki-gateway', 'loki-query-frontend', 'loki-querier']);
    expect(await it.used({ ...all, 'loki-querier': GOOD })).toBe('loki-querier');
    expect(await it.used(all)).toBe('loki-querier');
    expect(await it.used({ ...all, 'loki-gateway': GOOD })).toBe('loki-gateway');
  });

  test('stays if none works, with the results of all', async () => {
    const it = setting([gateway, frontend]);
    expect(await it.used({ 'loki-gateway': NOT_READY })).toBe('loki-query-frontend');
    const dead = { 'loki-gateway': NOT_READY, 'loki-query-frontend': BAD_GATEWAY };
    it.answers = dead;
    const { services: found } = await it.pass();
    expect(found).toMatchObject([
      { service: { name: 'loki-query-frontend' }, verdict: { health: 'unhealthy' } },
    ]);
    expect(evidence(found[0] as DiscoveredService)).toEqual([
      'no entry point works: Service loki-gateway: none of its endpoints is ready; Service loki-query-frontend: GET /ready answered 502',
    ]);
  });

  test('is one of a few: at most four are probed', async () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f'].map((part) =>
      loki(`${part}-logs`, { selector: { app: 'loki' } }),
    );
    const it = setting(many);
    expect(await it.used(Object.fromEntries(many.map(({ name }) => [name, BAD_GATEWAY])))).toBe('a-logs');
    expect(it.asked).toEqual(['a-logs', 'b-logs', 'c-logs', 'd-logs']);
  });

  test('of a kind that cannot prove itself, the preferred one is used again once it is healthy', async () => {
    const pods = { selector: { app: 'x' } };
    const it = setting([offered('aa', {}, pods), offered('bbb', {}, pods)]);
    const healthy = verdict('healthy', 'GET / answered 200');
    expect(await it.used({ aa: BAD_GATEWAY, bbb: healthy })).toBe('bbb');
    expect(await it.used({ aa: healthy, bbb: healthy })).toBe('aa');
  });

  test('is never one with a rejected endpoint annotation', async () => {
    const refused = offered(
      'loki-gateway',
      { type: 'loki', endpoint: 'http://elsewhere.example' },
      {
        labels: { app: 'loki' },
        selector: { app: 'loki' },
        ports: ['http-metrics:3100'],
      },
    );
    const it = setting([refused, frontend]);
    it.answers = {};
    const { services: found, problems } = await it.pass();
    expect(found.map(({ service: { name } }) => name)).toEqual(['loki-query-frontend']);
    expect(problems.map(({ what }) => what)).toEqual([expect.stringContaining('elsewhere.example')]);
  });

  test('is the published one after a restart', async () => {
    const it = setting([gateway, frontend], publishedInUse('loki-query-frontend'));
    expect(await it.used({ 'loki-gateway': LOGIN })).toBe('loki-query-frontend');
  });

  test('is unknown if nothing is published, or no Service is named', () => {
    expect(publishedUse(live([])).inUse).toEqual(new Set());
    expect(publishedUse(live([{ ...published('x'), metadata: {} }])).inUse).toEqual(new Set());
  });
});

describe('a newer Service that leads to other Pods', () => {
  const used = part('loki-query-frontend');
  const newcomer = part('loki-gateway');

  test('replaces none, however well it responds, also after a restart; if the other one fails, it is used besides it', async () => {
    const it = setting([used]);
    expect(await it.used()).toBe('loki-query-frontend');
    for (const inUse of [it.inUse, publishedInUse('loki-query-frontend')]) {
      const later = setting([newcomer, used], inUse);
      expect(await later.used()).toBe('loki-query-frontend');
      expect(later.asked).toEqual(['loki-query-frontend']);
      expect(await later.used({ 'loki-query-frontend': LOGIN })).toBe('loki-query-frontend');
      expect(await later.used({ 'loki-query-frontend': UNKNOWN })).toBe('loki-query-frontend');
      expect(await later.used({ 'loki-query-frontend': BAD_GATEWAY })).toBe('loki-query-frontend');
      expect(later.asked).toEqual(['loki-query-frontend', 'loki-gateway']);
      const { services: found } = await later.pass();
      expect(
        found.map(({ service: { name }, alternates, verdict: { health } }) => [name, alternates, health]),
      ).toEqual([
        ['loki-gateway', [], 'healthy'],
        ['loki-query-frontend', [], 'unhealthy'],
      ]);
    }
  });

  test('is one that existed from the start, and was not ready: it replaces the other one', async () => {
    const it = setting([newcomer, used]);
    expect(await it.used({ 'loki-gateway': NOT_READY })).toBe('loki-query-frontend');
    expect(await it.used()).toBe('loki-gateway');
  });

  test('is one that existed before the one in use worked', async () => {
    const it = setting([used]);
    expect(await it.used({ 'loki-query-frontend': NOT_READY })).toBe('loki-query-frontend');
    const both = setting([newcomer, used], it.inUse);
    both.companions = it.companions;
    const still = { 'loki-query-frontend': NOT_READY, 'loki-gateway': NOT_READY };
    expect(await both.used(still)).toBe('loki-query-frontend');
    expect(await both.used({ 'loki-gateway': NOT_READY })).toBe('loki-query-frontend');
    expect(await both.used()).toBe('loki-gateway');
  });

  test('replaces none among a hundred either', async () => {
    const many = Array.from({ length: 120 }, (_, index) => part(`loki-gateway-${index}`));
    const old = { ...used, created: '2026-01-01T00:00:00Z' };
    const crowd = many.map((one) => ({ ...one, created: '2026-01-01T00:00:05Z' }));
    const it = setting([old, ...crowd], new Set([keyFor('monitoring/loki-query-frontend')]));
    expect((await it.pass()).services.map(({ service: { name } }) => name)).toContain('loki-query-frontend');
  });

  test('does not merge two backends in use', async () => {
    const labels = { app: 'loki', release: 'a' };
    const own = (name: string) => loki(name, { labels, selector: { app: name } });
    const two = setting([own('loki'), own('loki-main')]);
    expect((await two.pass()).services).toHaveLength(2);
    const three = setting([own('loki'), own('loki-main'), own('loki-gateway')], two.inUse);
    const { services: found } = await three.pass();
    expect(found.map(({ service: { name }, alternates }) => [name, alternates])).toEqual([
      ['loki', ['loki-gateway']],
      ['loki-main', []],
    ]);
  });
});

describe('Services of the same Pods that prove to be one product', () => {
  const pods = { selector: { app: 'metrics' } };
  const asPrometheus = service('metrics-main', {
    labels: { app: 'prometheus' },
    ports: ['web:9090'],
    ...pods,
  });
  const asThanos = service('metrics-query', {
    labels: { app: 'thanos-query' },
    ports: ['http:10902'],
    ...pods,
  });
  const isThanos: Verdict = { ...GOOD, provenAs: 'thanos' };

  test('become one backend, though their labels name different ones', async () => {
    const it = setting([asPrometheus, asThanos]);
    expect(new Set((await it.pass()).services.map(({ type }) => type))).toEqual(
      new Set(['prometheus', 'thanos']),
    );
    it.inUse = new Set();
    it.answers = { 'metrics-main': isThanos };
    const { services: found, problems } = await it.pass();
    expect(found).toMatchObject([
      { type: 'thanos', service: { name: 'metrics-query' }, alternates: ['metrics-main'] },
    ]);
    expect(evidence(found[0] as DiscoveredService)).toEqual([
      'leads to the same Pods as metrics-main, and both prove to be thanos',
    ]);
    expect(problems[0]?.what).toMatch(/looks like prometheus, but is thanos/);
  });

  test('stay the one that is in use', async () => {
    const it = setting([asPrometheus, asThanos], new Set([keyFor('monitoring/metrics-main')]));
    it.answers = { 'metrics-main': isThanos };
    for (let pass = 0; pass < 3; pass++)
      expect((await it.pass()).services.map(({ service: { name } }) => name)).toEqual(['metrics-main']);
    expect(it.inUse).toEqual(new Set([keyFor('monitoring/metrics-main')]));
  });

  test.each<[string, Service, Record<string, Verdict>]>([
    ['the Pods are others', { ...asThanos, selector: { app: 'other' } }, { 'metrics-main': isThanos }],
    ['there is no selector', { ...asThanos, selector: {} }, { 'metrics-main': isThanos }],
    ['one is not proven', asThanos, { 'metrics-main': isThanos, 'metrics-query': LOGIN }],
    ['the namespaces differ', { ...asThanos, namespace: 'shop' }, { 'metrics-main': isThanos }],
  ])('stay two if %s', async (_, other, answers) => {
    const it = setting([asPrometheus, other]);
    it.answers = answers;
    expect((await it.pass()).services).toHaveLength(2);
  });
});
