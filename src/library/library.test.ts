import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { builtInDetectors } from '../config/detector-files.ts';
import { namingBy } from '../controller/naming.ts';
import { discover, toolKinds } from '../controller/pass.ts';
import { makeRules } from '../detection/make-rules.ts';
import { NO_NAMING } from '../detection/names.ts';
import { approvalsIn } from '../model/approvals.ts';
import type { Problem } from '../model/discovery.ts';
import type { Mapping } from '../model/mapping.ts';
import { generate } from '../outputs/generate.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { noProber } from '../probing/no-prober.ts';
import { parseManifest } from '../sources/manifest-text.ts';
import { detect, InputError, type RenderOptions, render, type ServiceObject } from './index.ts';

const repository = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(repository, file), 'utf8');
const objectsIn = (text: string): ServiceObject[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as ServiceObject | null)
    .filter((object) => object?.kind === 'Service') as ServiceObject[];

const FIXTURES = join(repository, 'test/fixtures/detectors');
const TEXTS = [
  ...readdirSync(FIXTURES).map((type) => read(`test/fixtures/detectors/${type}/services.yaml`)),
  ...readdirSync(join(repository, 'demo/cluster')).map((name) => read(`demo/cluster/${name}`)),
];

const { rules, problems } = makeRules(builtInDetectors());

/** What the program makes of manifests without probes. */
async function program(text: string, overridesText: string | undefined, options: RenderOptions) {
  const overrides = readOverrides(overridesText);
  if (!('value' in overrides)) throw new Error('broken overrides');
  const found = await discover(
    parseManifest(text, 'x.yaml', 'default').services.map(({ service }) => service),
    {
      rules,
      problems,
      prober: noProber,
      maxBackends: 1_000,
      naming: { ...NO_NAMING, ...namingBy(overrides.value, {}) },
      detection: {
        clusterDomain: 'cluster.local',
        allowedHosts: [],
        allowExternalNames: false,
        approvals: approvalsIn(overrides.value),
      },
    },
    AbortSignal.timeout(10_000),
  );
  const generated = generate(found.services, {
    credentials: {},
    holmesgptVersion: options.holmesgptVersion === '0.20' ? '0.20' : '0.32',
    overrides: overrides.value,
    kinds: toolKinds(rules),
    mcpPolicy: options.mcpPolicy ?? 'approve',
    namespaces: options.namespaces ?? [],
  });
  return { found, generated };
}

const OVERRIDES = `tools:
  monitoring/prometheus-operated: {description: The one that people mean}
  tracing/jaeger-collector: {approved: true}
  shop/orders: {approved: custom}
  ledger: {type: prometheus, endpoint: http://ledger.example.com:9090, description: The ledger's}
`;

describe('the library agrees with the program', () => {
  const cases: [string, string | undefined, RenderOptions][] = [
    ['as it is', undefined, {}],
    ['with overrides', OVERRIDES, { mcpPolicy: 'publish' }],
    ['for an old HolmesGPT', undefined, { holmesgptVersion: '0.20', namespaces: ['shop', 'tools'] }],
  ];
  test.each(cases)('%s', async (_, overrides, options) => {
    let rendered = 0;
    for (const text of TEXTS) {
      const { found, generated } = await program(text, overrides, options);
      const { backends, problems } = detect(objectsIn(text), { overrides });
      expect(problems).toEqual(found.problems);
      expect(backends.map(({ tool, type, evidence }) => ({ tool, type, evidence }))).toEqual(
        found.services.map(({ tool, type, evidence }) => ({ tool, type, evidence })),
      );
      const made = render(JSON.parse(JSON.stringify(backends)), { overrides, ...options });
      expect(made.documents).toEqual(generated.documents);
      expect(made.waiting).toEqual(generated.waiting);
      // Advice about the setting `credentials`, which the library does not have, is left out.
      const plain = ({ fix, ...note }: Problem): Problem => ({
        ...note,
        ...(fix === undefined ? {} : { fix: fix.replace(/; if you trust its owner with credentials.*/, '') }),
      });
      expect(made.problems).toEqual(generated.notes.map(plain));
      rendered += backends.length;
    }
    expect(rendered).toBeGreaterThan(100);
  });
});

const demo = objectsIn(read('demo/cluster/monitoring.yaml'));

test('the order of Services and of backends does not matter', () => {
  const wanted = detect(demo);
  const documents = render(wanted.backends).documents;
  const shuffled = <T>(all: readonly T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray([...all], { minLength: all.length });
  fc.assert(
    fc.property(shuffled(demo), shuffled(wanted.backends), (services, backends) => {
      expect(detect(services)).toEqual(wanted);
      expect(render(backends).documents).toEqual(documents);
    }),
    { numRuns: 20 },
  );
});

const PROMETHEUS: ServiceObject = {
  metadata: { name: 'prometheus', namespace: 'monitoring', labels: { app: 'prometheus' } },
  spec: { ports: [{ port: 9090 }] },
};

describe('detect', () => {
  test('accepts a list as kubectl prints it, and skips other kinds', () => {
    const items: ServiceObject[] = [PROMETHEUS, { kind: 'Pod', metadata: { name: 'prometheus-0' } }];
    expect(detect({ items })).toEqual(detect([PROMETHEUS]));
    expect(detect([PROMETHEUS]).backends).toMatchObject([
      {
        name: 'prometheus',
        namespace: 'monitoring',
        tool: 'prometheus.monitoring',
        type: 'prometheus',
        endpoint: 'http://prometheus.monitoring.svc.cluster.local:9090',
        certainty: 'label',
        health: 'unknown',
      },
    ]);
  });

  test('accepts dates of a Kubernetes client like times in JSON', () => {
    const at = (creationTimestamp: string | Date): ServiceObject => ({
      ...PROMETHEUS,
      metadata: { ...PROMETHEUS.metadata, creationTimestamp },
    });
    const [backend] = detect([at(new Date('2026-01-02T03:04:05Z'))]).backends;
    expect(backend?.details).toHaveProperty('created', '2026-01-02T03:04:05Z');
    expect(detect([at('2026-01-02T03:04:05Z')]).backends).toEqual([backend]);
  });

  test('leaves out what is being deleted, also as a client reads it', () => {
    for (const deletionTimestamp of ['2026-01-02T03:04:05Z', new Date(0)])
      expect(
        detect([{ ...PROMETHEUS, metadata: { ...PROMETHEUS.metadata, deletionTimestamp } }]).backends,
      ).toEqual([]);
  });

  test('lists the objects that it skips', () => {
    const broken = [null, 'x', { kind: 'Service' }, PROMETHEUS] as unknown as ServiceObject[];
    const { backends, problems } = detect(broken);
    expect(backends).toHaveLength(1);
    expect(problems.map(({ where }) => where)).toEqual(['object 0', 'object 1', 'object 2']);
  });

  test('never throws, whatever the object', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.object(), fc.anything())), (objects) => {
        detect(objects as ServiceObject[]);
      }),
    );
  });

  test('accepts custom detectors, which rendering needs too', () => {
    const detectors = [
      'type: ledger\ntitle: Ledger\ndescription: A ledger.\nnames: [ledger]\nports: {numbers: [7000]}\nholmes: {none: not read}\n',
    ];
    const ledger: ServiceObject = {
      metadata: { name: 'ledger', labels: { app: 'ledger' } },
      spec: { ports: [{ port: 7000 }] },
    };
    const { backends } = detect([ledger], { detectors });
    expect(backends).toMatchObject([{ type: 'ledger', namespace: 'default' }]);
    expect(JSON.parse(render(backends, { detectors }).documents['toolset.json']).tools).toHaveLength(1);
    expect(() => render(backends)).toThrow(/backends\[0\]: there is no detector ledger/);
  });
});

describe('render', () => {
  const { backends } = detect([PROMETHEUS]);
  const [backend] = backends;
  if (backend === undefined) throw new Error('there is no backend');

  test('leaves out what the caller knows to be unhealthy', () => {
    const { documents } = render([{ ...backend, health: 'unhealthy' }]);
    expect(JSON.parse(documents['toolset.json']).tools).toEqual([]);
  });

  test('uses the endpoint that the caller gives', () => {
    const { documents } = render([{ ...backend, endpoint: 'https://metrics.example.com/prom/' }]);
    expect(JSON.parse(documents['toolset.json']).tools[0].endpoint).toBe(
      'https://metrics.example.com:443/prom',
    );
  });

  function faultOf(act: () => unknown): InputError {
    try {
      act();
    } catch (error) {
      if (error instanceof InputError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  }

  test('reports the place of faults in overrides', () => {
    const error = faultOf(() => render(backends, { overrides: 'tools:\n  ledger: {typ: x}\n' }));
    expect(error.input).toBe('overrides');
    expect(error.faults).toMatchObject([{ line: 2, column: 12 }]);
    expect(error.message).toMatch(/^overrides:2:12: .*typ/);
  });

  test.each<[string, string, unknown]>([
    ['backends[0].endpoint', 'a URL of another kind', { ...backend, endpoint: 'file:///etc/passwd' }],
    ['backends[0].endpoint', 'a template', { ...backend, endpoint: 'http://x/{{ env.TEAM }}' }],
    ['backends[0].details', 'none', (({ details: _, ...rest }: Mapping) => rest)({ ...backend })],
    ['backends[0]', 'no object', 'prometheus'],
    ['backends[0].tool', 'two lines', { ...backend, tool: 'a\nb' }],
    ['backends[0].namespace', 'no name', { ...backend, namespace: 'Not A Name!' }],
    ['backends[0].type', 'no type', { ...backend, type: 'A type' }],
    ['backends[0].endpoint', 'no port', { ...backend, endpoint: 'tcp:foo' }],
    ['backends[0].description', 'half a character', { ...backend, description: '\ud800' }],
    ['backends[0].alternates', 'a huge list', { ...backend, alternates: new Array(1e5 + 1) }],
  ])('rejects %s: %s', (where, _, given) => {
    const error = faultOf(() => render([given as typeof backend]));
    expect(error.message.startsWith(`${where}: `)).toBe(true);
    expect(error.input).toBe('backends[0]');
  });

  test.each<[object, string]>([
    [{ holmesgptVersion: 'latest' }, 'holmesgptVersion: "latest" is not a version'],
    [{ mcpPolicy: 'all' }, 'options.mcpPolicy: "all" must be one of publish, approve, off'],
    [{ clusterDomain: 'a\nb: c' }, 'options.clusterDomain: "a\\nb: c" is not a DNS domain'],
    [{ clusterDomain: '' }, 'options.clusterDomain: "" is not a DNS domain'],
    [{ defaultNamespace: 'Bad NS' }, 'options.defaultNamespace: "Bad NS" is not a namespace\'s name'],
    [{ defaultNamespace: '' }, 'options.defaultNamespace: "" is not'],
    [{ allowedHosts: ['a.com', 'http://x/y'] }, 'options.allowedHosts[1]: "http://x/y" has an entry that no'],
    [{ namespaces: ['*', 'Not A Name!'] }, 'options.namespaces[1]: "Not A Name!" is not a namespace\'s name'],
    [
      { overides: '' },
      'there is no option overides; did you mean overrides? The options are overrides, detectors',
    ],
    [{ zzz: 1, yyy: 2 }, 'there is no option zzz, yyy; the options are overrides, detectors, clusterDomain'],
  ])('rejects %j', (options, what) => {
    for (const act of [() => render(backends, options), () => detect([], options)])
      expect(faultOf(act).message).toContain(what);
  });

  test.each<[string, unknown, string]>([
    ['foo', { foo: 1 }, 'options: there is no option foo'],
    ['namespaces', { namespaces: 'shop' }, 'options.namespaces: '],
    ['detectors', { detectors: 'type: x' }, 'options.detectors: '],
    ['allowExternalNames', { allowExternalNames: 'yes' }, 'options.allowExternalNames: '],
    ['options', 5, 'options: '],
  ])('rejects the option %s of the wrong kind', (_, options, what) => {
    for (const act of [() => render([], options as RenderOptions), () => detect([], options as object)])
      expect(faultOf(act).message.startsWith(what)).toBe(true);
  });

  test.each([[5], ['shop'], [null], [{}], [{ items: 5 }]])('rejects %j in place of a list', (list) => {
    const services = list as unknown as ServiceObject[];
    expect(faultOf(() => detect(services)).input).toBe('services');
    expect(faultOf(() => render(list as unknown as [])).input).toBe('backends');
  });

  test('a whole result of detect is no list of backends', () => {
    expect(faultOf(() => render(detect([]) as unknown as [])).message).toMatch(/pass its backends$/);
  });

  test('rejects two backends with the tool or the Service of each other', () => {
    const both =
      'backends[1]: has the Service monitoring/prometheus of backends[0]; give it another namespace';
    expect(faultOf(() => render([backend, backend])).message).toBe(
      `backends[1]: has the tool name prometheus.monitoring of backends[0]; give it another tool\n${both}`,
    );
    expect(faultOf(() => render([backend, { ...backend, tool: 'two' }])).message).toBe(both);
  });

  test('rejects two backends of which overrides move one to the name of the other', () => {
    const overrides = 'tools: {mine: {type: loki, endpoint: "http://loki:80", description: Mine}}';
    const other = { ...backend, namespace: 'shop' };
    const error = faultOf(() => render([{ ...backend, tool: 'mine' }, other], { overrides }));
    expect(error.message).toMatch(/^backends: two tools have one name; /);
  });

  test('renders two clusters, also their MCP servers', () => {
    const server: ServiceObject = {
      metadata: {
        name: 'weather',
        namespace: 'shop',
        annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': 'mcp' },
      },
      spec: { ports: [{ port: 8000 }] },
    };
    const one = detect([PROMETHEUS, server], { clusterDomain: 'one.example' }).backends;
    const two = detect([PROMETHEUS, server], { clusterDomain: 'two.example' }).backends.map((found) => {
      const namespace = `two-${found.namespace}`;
      return { ...found, namespace, tool: `${found.name}.${namespace}` };
    });
    const text = render([...one, ...two], { mcpPolicy: 'publish' }).documents['custom_toolset.yaml'];
    expect([...text.matchAll(/url: (.*)/g)].map(([, url]) => url)).toEqual([
      'http://prometheus.monitoring.svc.one.example:9090',
      'http://prometheus.monitoring.svc.two.example:9090',
      'http://weather.shop.svc.one.example:8000/mcp',
      'http://weather.shop.svc.two.example:8000/mcp',
    ]);
  });

  test('reports a type in overrides that is probably mistyped', () => {
    const overrides = 'tools: {ledger: {type: promethus, endpoint: "http://a:1", description: x}}';
    expect(render([], { overrides }).problems).toEqual([
      {
        where: 'overrides.yaml, tool ledger',
        what: 'there is no detector promethus',
        fix: 'did you mean prometheus?',
      },
    ]);
  });

  test('gives no advice about settings that the library does not have', () => {
    const grafana = { metadata: { name: 'grafana', namespace: 'shop' }, spec: { ports: [{ port: 3000 }] } };
    const { problems } = render(detect([grafana]).backends);
    expect(problems).toMatchObject([{ where: 'Service shop/grafana', fix: 'it is in toolset.json' }]);
  });
});
