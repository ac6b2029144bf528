import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { namesOf } from '../detection/names.ts';
import type { Credentials } from '../model/credentials.ts';
import type { Verdict } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { namingBy } from './naming.ts';
import { type DiscoveryResult, discover, type Stages, toolKinds } from './pass.ts';

const GOOD: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: '', steps: [] };
const verdict = (more: Partial<Verdict>): Verdict => ({ ...GOOD, proof: 'unproven', ...more });
/** What newcomers answer. */
const ANSWERS: readonly Verdict[] = [
  GOOD,
  verdict({ authRequired: true, reason: '401' }),
  verdict({ health: 'unhealthy', fault: 'timeout', reason: '502' }),
  verdict({ health: 'unknown', reason: 'not probed' }),
  verdict({ health: 'unknown', fault: 'connection', reason: 'away' }),
  verdict({ health: 'unhealthy', proof: 'contradicted', reason: 'another' }),
];
const kinds = toolKinds(rules);

/** What people wrote. */
interface Written {
  readonly overrides: Overrides;
  readonly credentials: Credentials;
}
const NOTHING: Written = { overrides: NO_OVERRIDES, credentials: {} };

/** A pass in which the installed Services answer well: it is the order and the names that decide. */
function pass(
  services: readonly Service[],
  { overrides, credentials }: Written,
  before?: Partial<DiscoveryResult>,
  answers: ReadonlyMap<string, Verdict> = new Map(),
) {
  const naming = { held: namesOf(before?.services ?? []), ...namingBy(overrides, credentials) };
  const stages: Stages = {
    rules,
    problems: [],
    prober: { probe: ({ service: { name } }) => Promise.resolve(answers.get(name) ?? GOOD) },
    detection: options,
    maxBackends: 1_000,
    naming,
    ...(before?.inUse === undefined ? {} : { inUse: before.inUse }),
    ...(before?.companions === undefined ? {} : { companions: before.companions }),
  };
  return discover(services, stages, new AbortController().signal);
}

interface Entry {
  readonly name: string;
  readonly endpoint: string;
  readonly description: string;
  readonly namespace: string;
  readonly metadata: { readonly service: string };
}

/** Each tool by its Service: its name, its endpoint, its text, and what the agent is given for it. */
function toolsOf({ services }: DiscoveryResult, { overrides, credentials }: Written): Map<string, object> {
  const { documents } = generate(services, { overrides, credentials, kinds, holmesgptVersion: '0.32' });
  const config = parse(documents['custom_toolset.yaml'] ?? '').toolsets['grafana/loki']?.config ?? {};
  const instances: Record<string, unknown>[] = config.instances ?? [config];
  const { tools } = JSON.parse(documents['toolset.json'] ?? '') as { readonly tools: readonly Entry[] };
  return new Map(
    tools.map(({ name, endpoint, description, namespace, metadata }) => {
      const { name: _, ...given } = instances.find((each) => each.api_url === endpoint) ?? {};
      return [`${namespace}/${metadata.service}`, { name, endpoint, description, given }];
    }),
  );
}

const CREATED = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', '2026-01-02T00:00:00Z'];
const NAMES = [
  'loki',
  'loki-gateway',
  'loki-read',
  'loki-main',
  'loki-query-frontend',
  'logs',
  'logs-gateway',
  'a-loki',
  'loki-eu',
  'loki-eu-nginx',
  'loki-2',
];

const described = fc.record({
  name: fc.constantFrom(...NAMES),
  release: fc.constantFrom(undefined, 'a', 'b'),
  created: fc.constantFrom(...CREATED),
  headless: fc.boolean(),
  offered: fc.boolean(),
  app: fc.constantFrom('loki', 'logs'),
  shared: fc.boolean(),
  labelled: fc.boolean(),
  asked: fc.constantFrom(undefined, 'one', 'two'),
});
type Described = typeof described extends fc.Arbitrary<infer T> ? T : never;

const made = (
  { name, release, created, headless, offered, app, labelled, asked }: Described,
  selector: Service['selector'],
): Service =>
  service(name, {
    labels: {
      ...(labelled ? { 'app.kubernetes.io/name': 'loki' } : {}),
      ...(release === undefined ? {} : { release }),
    },
    annotations: offered
      ? {
          'kubernaut.io/toolset': 'true',
          'kubernaut.io/toolset-type': 'loki',
          'kubernaut.io/toolset-description': name,
          ...(asked === undefined ? {} : { 'kubernaut.io/toolset-name': asked }),
        }
      : {},
    selector,
    headless,
    ports: [app === 'loki' ? 'http-metrics:3100' : 'http:3100'],
    ...(created === undefined ? {} : { created }),
  });

const installed = fc
  .uniqueArray(described, { selector: ({ name }) => name, minLength: 1, maxLength: 6 })
  .map((all) =>
    all.map((one, index) => made(one, one.shared ? { app: one.app } : { app: one.app, part: `p${index}` })),
  );
/** With Pods of its own: no selector of the others can meet the same Pod. */
const newcomer = fc
  .record({ one: described, prefix: fc.constantFrom('', 'x-', 'loki-'), bare: fc.boolean() })
  .map(({ one, prefix, bare }) =>
    made({ ...one, name: `${prefix}${one.name}` }, bare ? {} : { app: 'evil', part: 'evil' }),
  );

const newcomers = fc.uniqueArray(newcomer, { selector: ({ name }) => name, minLength: 1, maxLength: 3 });

const writtenOf = (named: Service | undefined): Written =>
  named === undefined
    ? NOTHING
    : {
        overrides: { ...NO_OVERRIDES, tools: { [displayKey(named)]: { description: 'PINNED' } } },
        credentials: { [displayKey(named)]: { bearerToken: 'TOKEN' } },
      };

describe('added Services with Pods of their own take nothing', () => {
  test.each([
    ['from what is published, in the process that published it', true, (found: DiscoveryResult) => found],
    [
      'from what is published, after a restart',
      true,
      ({ services, inUse }: DiscoveryResult) => ({ services, inUse }),
    ],
    ['from a Service that a person names, before anything is published', false, () => ({})],
  ])('%s', async (_, isPublished, known) => {
    await fc.assert(
      fc.asyncProperty(
        installed,
        newcomers,
        fc.array(fc.constantFrom(...ANSWERS), { minLength: 3, maxLength: 3 }),
        fc.nat(),
        fc.boolean(),
        async (all, others, said, pick, isManifest) => {
          // The API server dates all Services, and manifests date none.
          const dated = ({ created, ...rest }: Service): Service =>
            isManifest || created === undefined ? rest : { ...rest, created };
          const [services, added] = [all.map(dated), others.map(dated)];
          fc.pre(services.every(({ name }) => added.every((other) => name !== other.name)));
          const probable = await pass(services, NOTHING);
          const own = probable.services.filter((each) => services.includes(each.service));
          const named = own[pick % own.length]?.service;
          const written = writtenOf(isPublished && pick % 3 === 0 ? undefined : named);
          const before = await pass(services, written);
          const answers = new Map(added.map(({ name }, index) => [name, said[index] ?? GOOD]));
          const now = (then: Partial<DiscoveryResult>) =>
            pass([...services, ...added], written, then, answers);
          const after = await now(await now(known(before)));
          const [was, is] = [toolsOf(before, written), toolsOf(after, written)];
          for (const [key, tool] of was)
            if (isPublished || (named !== undefined && key === displayKey(named)))
              // Before anything is published, the oldest Service gets a name that several ask for.
              expect(is.get(key)).toEqual(isPublished ? tool : { ...tool, name: expect.anything() });
          for (const each of added)
            expect(JSON.stringify(is.get(displayKey(each))) ?? '').not.toMatch(/PINNED|TOKEN/);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('from Services whose order it changes, by connecting them to an older one', async () => {
    const [early, later] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];
    const own = (name: string, app: string, more: Partial<Service> = {}): Service => ({
      ...service(name, { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http-metrics:3100'] }),
      created: later,
      selector: { app },
      ...more,
    });
    const ofB = { labels: { 'app.kubernetes.io/name': 'loki', release: 'b' } };
    const services = [
      own('loki', 'other'),
      own('loki-main', 'main', ofB),
      own('loki-read', 'loki', { headless: true, selector: { app: 'loki', part: 'read' } }),
      own('a-loki', 'loki', { headless: true, created: early, ...ofB }),
    ];
    const before = await pass(services, NOTHING);
    expect(before.services.map(({ service: { name } }) => name)).toEqual(['a-loki', 'loki']);
    const after = await pass([...services, own('loki-gateway', 'evil')], NOTHING, before);
    const [was, is] = [toolsOf(before, NOTHING), toolsOf(after, NOTHING)];
    for (const [key, tool] of was) expect(is.get(key)).toEqual(tool);
  });
});
