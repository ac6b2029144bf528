import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { idsOf } from '../../src/controller/backend-ids.ts';
import { Catalog } from '../../src/controller/catalog.ts';
import { approximateServices } from '../../src/controller/held.ts';
import { namingBy, namingOf } from '../../src/controller/naming.ts';
import { type DiscoveryResult, discover, type Stages, toolKinds } from '../../src/controller/pass.ts';
import { publishedUse } from '../../src/controller/published-use.ts';
import { LiveDetection } from '../../src/detection/live.ts';
import { heldKeys, publishedNames } from '../../src/detection/names.ts';
import type { Candidate, Verdict } from '../../src/model/discovery.ts';
import { toolsetOf } from '../../src/model/documents.ts';
import { displayKey } from '../../src/model/key.ts';
import { type Service, serviceKey } from '../../src/model/service.ts';
import { type GenerateOptions, generate } from '../../src/outputs/generate.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { admissionOf } from '../../src/planning/admission.ts';
import { countsOf, losses } from '../../src/planning/removals.ts';
import { createProber } from '../../src/probing/prober.ts';
import { ScheduledProber } from '../../src/probing/scheduled-prober.ts';
import type { Source } from '../../src/sources/source.ts';
import { options, rules } from '../fixtures/unit/detection.ts';
import { offered, service } from '../fixtures/unit/service.ts';
import { toolset } from '../fixtures/unit/toolset.ts';

type Found = DiscoveryResult;

const EAST = 'arn:aws:eks:eu-west-1:111122223333:cluster/east';
const HEALTHY: Verdict = {
  health: 'healthy',
  authRequired: false,
  proof: 'proven',
  reason: 'it answers',
  steps: [],
};
const prober = { probe: (): Promise<Verdict> => Promise.resolve(HEALTHY) };
const stages: Stages = { rules, problems: [], prober, detection: options, maxBackends: 100 };
const kinds = toolKinds(rules);
const { signal } = new AbortController();

const loki = (cluster: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service('loki', {
    cluster,
    labels: { app: 'loki' },
    selector: { app: 'loki' },
    ports: ['http:3100'],
    ...fields,
  });
const server = (cluster: string): Service =>
  service('orders', {
    cluster,
    labels: { app: 'mcp-server' },
    selector: { app: 'orders' },
    ports: ['mcp:8000'],
  });
const BOTH = ['', EAST].flatMap((cluster) => [loki(cluster), server(cluster)]);

const pass = (services: readonly Service[], more: Partial<Stages> = {}): Promise<Found> =>
  discover(services, { ...stages, ...more }, signal);
const made = ({ services }: Found, given: Partial<GenerateOptions> = {}) =>
  generate(services, {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: overridesSchema.parse({}),
    kinds,
    ...given,
  });
const toolsOf = (found: Found, given?: Partial<GenerateOptions>) => {
  return toolset(made(found, given).documents).tools;
};
const holmesOf = (found: Found, given?: Partial<GenerateOptions>) =>
  parse(made(found, given).documents['custom_toolset.yaml'] ?? '');

describe('two clusters with equal names', () => {
  test('each have a backend and a tool, and the home cluster is not named', async () => {
    const found = await pass(BOTH);
    expect(found.services.map(({ service: each }) => displayKey(each))).toEqual([
      'monitoring/loki',
      'monitoring/orders',
      `${EAST}/monitoring/loki`,
      `${EAST}/monitoring/orders`,
    ]);
    expect(toolsOf(found).map(({ name, cluster, namespace }) => [name, cluster, namespace])).toEqual([
      ['loki.monitoring', undefined, 'monitoring'],
      [expect.stringMatching(/^loki\.monitoring\.[a-z0-9-]+-cluster-east-[0-9a-f]{8}$/), EAST, 'monitoring'],
      ['orders.monitoring', undefined, 'monitoring'],
      [expect.stringMatching(/^orders\.monitoring\.[a-z0-9-]+$/), EAST, 'monitoring'],
    ]);
    const keys = Object.keys(holmesOf(found).mcp_servers);
    expect(keys).toEqual([expect.stringMatching(/^[a-z0-9-]+\/monitoring\/orders$/), 'monitoring/orders']);
    expect(keys.join('')).not.toContain('.');
  });

  test('keep their names and entry points across a restart, even if only one is found', async () => {
    const first = await pass(BOTH);
    const { tools } = toolset(made(first).documents);
    const use = publishedUse({ present: toolsetOf({}, () => tools), annotations: {} });
    expect(use.inUse).toEqual(first.inUse);
    expect(heldKeys(publishedNames(tools))).toEqual(first.inUse);
    const naming = namingOf(tools, overridesSchema.parse({}), {}, []);
    const alone = await pass([loki(EAST)], { ...use, naming });
    expect(alone.services.map(({ tool }) => tool)).toEqual([toolsOf(first)[1]?.name]);
  });

  test('are not fallbacks of each other, although their Pods have the same labels', async () => {
    const found = await pass([loki(''), loki(EAST, { name: 'loki-gateway' })]);
    expect(found.services.map((each) => [each.alternates, each.fallbacks, each.sharesPods ?? []])).toEqual([
      [[], [], []],
      [[], [], []],
    ]);
  });

  test('request the same display name: the home cluster gets it, and the other gets a warning', async () => {
    const found = await pass([
      offered('shop', { name: 'Shop' }, { cluster: EAST }),
      offered('shop', { name: 'Shop' }),
    ]);
    expect(found.services.map(({ tool }) => tool)).toEqual([
      'Shop',
      expect.stringMatching(/^shop\.monitoring\./),
    ]);
    expect(found.problems).toMatchObject([{ where: `Service ${EAST}/monitoring/shop` }]);
  });

  test('have separate limits per namespace', async () => {
    const found = await pass(BOTH);
    const generated = made(found, { maxToolsPerNamespace: 1 });
    expect(generated.tools).toHaveLength(2);
    expect(generated.limitNotes.map(({ where }) => where)).toEqual([
      `namespace ${EAST}/monitoring`,
      'namespace monitoring',
    ]);
  });

  test('have separate state in the prober', async () => {
    const asked: string[] = [];
    const counting = new ScheduledProber(
      {
        probe({ service: each }) {
          asked.push(displayKey(each));
          return Promise.resolve(HEALTHY);
        },
      },
      { now: () => 0, random: () => 0 } as never,
    );
    for (const each of (await pass(BOTH)).services) await counting.probe(each, signal);
    expect(asked).toHaveLength(4);
  });

  test('have separate ids in the catalog', async () => {
    const { services: found } = await pass(BOTH);
    const tools = toolsOf(await pass(BOTH));
    const catalog = new Catalog();
    const inputs = {
      found,
      ids: idsOf(found, new Map()),
      tools,
      overrides: overridesSchema.parse({}),
      policy: {},
      cuts: [],
      omissions: [],
    };
    catalog.update(
      {
        ...inputs,
        publication: {
          isKnown: true,
          decides: true,
          rollback: undefined,
          overrideError: undefined,
          failure: undefined,
        },
      },
      new Date(0),
    );
    expect(catalog.backends.map(({ id, published }) => [id, published?.cluster])).toEqual([
      ['monitoring/loki', undefined],
      ['monitoring/orders', undefined],
      [`${EAST}/monitoring/loki`, EAST],
      [`${EAST}/monitoring/orders`, EAST],
    ]);
  });

  test('have separate lost tools', async () => {
    const before = toolset(made(await pass(BOTH)).documents).tools;
    const next = toolset(made(await pass([loki(''), server('')])).documents).tools;
    const usable = new Set(next.map(({ name }) => name));
    expect([...countsOf(before)]).toEqual([
      ['monitoring', 2],
      [`${EAST}/monitoring`, 2],
    ]);
    // The clusters' own addresses differ.
    const moved = before.map((each) =>
      each.cluster === undefined
        ? each
        : { ...each, endpoint: each.endpoint.replace('.svc.cluster.local', '.east.example') },
    );
    const lost = losses(moved, next, { usable, unusable: new Map() });
    expect(lost.map(({ namespace }) => namespace)).toEqual([`${EAST}/monitoring`, `${EAST}/monitoring`]);
  });

  test('are read back as they were published', async () => {
    const { tools } = toolset(made(await pass(BOTH)).documents);
    const names = tools.map(({ name }) => name);
    const known = approximateServices(tools, names, kinds);
    expect(names.map((name) => known.get(name)?.service.cluster)).toEqual(['', EAST, '', EAST]);
  });
});

describe('NAMESPACE/NAME in configuration and overrides applies to the home cluster', () => {
  const secret = { 'monitoring/loki': { bearerToken: 'OWN' }, 'monitoring/orders': { bearerToken: 'OWN' } };

  test.each<readonly [string, Partial<GenerateOptions>]>([
    ['credentials of a Service', { credentials: secret }],
    ['credentials of a type', { credentials: { loki: { bearerToken: 'OWN', namespaces: ['monitoring'] } } }],
    ['credentials of a type anywhere', { credentials: { loki: { bearerToken: 'OWN', namespaces: ['*'] } } }],
    ...['monitoring/loki', 'monitoring/*', '*'].map(
      (key) =>
        [
          `fields of a backend under ${key}`,
          {
            overrides: overridesSchema.parse({
              holmesgpt: { toolsets: { 'grafana/loki': { backends: { [key]: { api_key: 'OWN' } } } } },
            }),
          },
        ] as const,
    ),
  ])('as in %s', async (_, given) => {
    expect(JSON.stringify(holmesOf(await pass([loki('')]), given))).toContain('OWN');
    expect(JSON.stringify(holmesOf(await pass([loki(EAST), server(EAST)]), given))).not.toContain('OWN');
    const instances: { readonly name: string }[] = holmesOf(await pass(BOTH), given).toolsets['grafana/loki']
      .config.instances;
    expect(instances.filter((each) => JSON.stringify(each).includes('OWN')).map(({ name }) => name)).toEqual([
      'loki.monitoring',
    ]);
  });

  test('as in an approval, and in the trust in a namespace', async () => {
    const { services } = await pass([server(''), server(EAST)]);
    const overrides = overridesSchema.parse({ tools: { 'monitoring/orders': { approved: true } } });
    const states = (...args: readonly [object, typeof overrides?]) =>
      services.map((each) => admissionOf(each, { mcpPolicy: 'approve', ...args[0] }, args[1]).state);
    expect(states({}, overrides)).toEqual(['approved', 'waiting']);
    expect(states({ namespaces: ['monitoring'] })).toEqual(['trusted', 'waiting']);
  });

  test('as in a change of a tool, and in the choice of an entry point', async () => {
    const overrides = overridesSchema.parse({ tools: { 'monitoring/loki': { enabled: false } } });
    expect(toolsOf(await pass([loki(''), loki(EAST)]), { overrides }).map(({ cluster }) => cluster)).toEqual([
      EAST,
    ]);
    expect(namingBy(overrides, {}).named).toEqual(new Set([serviceKey(loki(''))]));
  });

  test('a tool in overrides.yaml with the name of a tool of another cluster replaces it', async () => {
    const own = { type: 'loki', endpoint: 'http://logs:3100', description: 'Ours' };
    const overrides = overridesSchema.parse({ tools: { 'loki.monitoring.east': own } });
    expect(toolsOf(await pass([loki('east')]), { overrides })).toMatchObject([
      { endpoint: 'http://logs:3100' },
    ]);
  });
});

describe('sources of two clusters', () => {
  const source = (cluster: string, ...services: readonly Service[]): Source => ({
    run: async (changed) =>
      changed({ kind: 'sync', ...(cluster === '' ? {} : { cluster }), services, stale: [], problems: [] }),
  });

  test('each source replaces only its own Services', async () => {
    const live = new LiveDetection(rules, options);
    const read = (each: Source) =>
      each.run((change) => {
        if (change.kind === 'sync') live.replace(change.services, new Set(change.stale), change.cluster);
      }, signal);
    await read(source('', loki('')));
    await read(source(EAST, loki(EAST), server(EAST)));
    expect(live.size).toBe(3);
    await read(source(EAST, loki(EAST)));
    await read(source(''));
    expect(live.detect().candidates.map(({ service: each }) => displayKey(each))).toEqual([
      `${EAST}/monitoring/loki`,
    ]);
  });
});

test('no probe is sent for a cluster without a route', async () => {
  const reached: string[] = [];
  const fetch = ({ service: each }: Candidate) => {
    reached.push(each.cluster);
    return Promise.reject(new Error('away'));
  };
  const probing = createProber([], { fetch: fetch as never }, { concurrency: 2, timeout: 100 });
  const { services } = await pass([loki(EAST)]);
  expect(await probing.probe(services[0] as Candidate, signal)).toMatchObject({
    health: 'unhealthy',
    fault: 'refused',
    reason: `there is no route to the cluster ${EAST}`,
  });
  expect(reached).toEqual([]);
});
