import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { type Naming, namesOf, publishedNames } from '../detection/names.ts';
import { podsWithin } from '../detection/selection.ts';
import type { Credentials } from '../model/credentials.ts';
import type { Verdict } from '../model/discovery.ts';
import { toolsetOf } from '../model/documents.ts';
import { displayKey } from '../model/key.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { keyOfService, type Service } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { inUseNote } from '../planning/services-in-use.ts';
import { namesToPublish } from './kept-names.ts';
import { namingBy, rememberedNames } from './naming.ts';
import { type DiscoveryResult, discover, type Stages, toolKinds } from './pass.ts';
import { publishedUse, servicesInUseOf } from './published-use.ts';

const GOOD: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: '', steps: [] };
const verdict = (more: Partial<Verdict>): Verdict => ({ ...GOOD, proof: 'unproven', ...more });
const FAILED = verdict({ health: 'unhealthy', fault: 'timeout', reason: '502' });
/** What newcomers answer. */
const ANSWERS: readonly Verdict[] = [
  GOOD,
  verdict({ authRequired: true, reason: '401' }),
  FAILED,
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

/** What is known before a pass. */
interface Known extends Partial<DiscoveryResult> {
  readonly held?: Naming['held'];
}

/** A pass in which the installed Services answer well: it is the order and the names that decide. */
function pass(
  services: readonly Service[],
  { overrides, credentials }: Written,
  before?: Known,
  answers: ReadonlyMap<string, Verdict> = new Map(),
) {
  const held = new Map([...namesOf(before?.services ?? []), ...(before?.held ?? [])]);
  const naming = { held, ...namingBy(overrides, credentials) };
  const stages: Stages = {
    rules,
    problems: [],
    prober: { probe: ({ service: { name } }) => Promise.resolve(answers.get(name) ?? GOOD) },
    detection: options,
    maxBackends: 1_000,
    naming,
    ...(before?.inUse === undefined ? {} : { inUse: before.inUse }),
    ...(before?.companions === undefined ? {} : { companions: before.companions }),
    vanished: before?.vanished,
    keptNames: before?.keptNames,
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

interface Shown {
  readonly name: string;
}

/** Each tool by its Service: its name, its endpoint, its text, and what the agent is given for it. */
function toolsOf({ services }: DiscoveryResult, { overrides, credentials }: Written): Map<string, Shown> {
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
const LATE = '2026-01-03T00:00:00Z';
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
/** With Pods of its own, which no selector of the others can meet, or with those of others. */
const newcomer = fc
  .record({
    one: described,
    prefix: fc.constantFrom('', 'x-', 'loki-'),
    selector: fc.constantFrom(
      {},
      { app: 'evil', part: 'evil' },
      { app: 'loki' },
      { app: 'loki', x: 'y' },
      { app: 'logs', part: 'p0' },
    ),
  })
  .map(({ one, prefix, selector }) => made({ ...one, name: `${prefix}${one.name}` }, selector));

const newcomers = fc.uniqueArray(newcomer, { selector: ({ name }) => name, minLength: 1, maxLength: 3 });

/** A labelled Loki with this age and these Pods. */
const lokiOf = (name: string, created: string, selector: Service['selector']): Service => ({
  ...service(name, { labels: { app: 'loki' }, ports: ['http-metrics:3100'] }),
  ...{ created, selector },
});

const writtenOf = (named: Service | undefined): Written =>
  named === undefined
    ? NOTHING
    : {
        overrides: { ...NO_OVERRIDES, tools: { [displayKey(named)]: { description: 'PINNED' } } },
        credentials: { [displayKey(named)]: { bearerToken: 'TOKEN' } },
      };

/** What is known before a pass: all of the last one, or what is published. */
type KnownBy = (last: DiscoveryResult, written: Written) => Known;
const inProcess: KnownBy = (last) => last;
const published: KnownBy = (last, written) => {
  const { documents } = generate(last.services, { ...written, kinds, holmesgptVersion: '0.32' });
  const { tools } = JSON.parse(documents['toolset.json'] ?? '');
  const names = namesToPublish(last.keptNames ?? new Map(), publishedNames(tools));
  const { text } = inUseNote(servicesInUseOf(last, last.services), tools, names);
  const present = toolsetOf({}, () => tools);
  const use = publishedUse({ present, annotations: { [SERVICES_IN_USE]: text } });
  return { held: new Map([...publishedNames(tools), ...rememberedNames(tools, text)]), ...use };
};

/** What happens to the installed Services between two passes. Those that vanish are created again. */
const moment = fc.record({
  failing: fc.constantFrom('none', 'one', 'all'),
  gone: fc.constantFrom('none', 'none', 'one', 'all'),
  which: fc.nat(),
  isRestart: fc.boolean(),
});

describe('added Services take nothing', () => {
  test.each<[string, KnownBy]>([
    ['from what is published, in the process that published it', inProcess],
    ['from what is published, after a restart', published],
  ])('%s', async (_, known) => {
    await fc.assert(
      fc.asyncProperty(
        installed,
        newcomers,
        fc.array(fc.constantFrom(...ANSWERS), { minLength: 3, maxLength: 3 }),
        fc.nat(),
        fc.array(moment, { maxLength: 4 }),
        async (services, others, said, pick, moments) => {
          // A restart forgets what fails at that time, but not its age.
          const isLate = known === published || moments.some(({ isRestart }) => isRestart);
          const added = isLate ? others.map((each) => ({ ...each, created: LATE })) : others;
          fc.pre(services.every(({ name }) => added.every((other) => name !== other.name)));
          const probable = await pass(services, NOTHING);
          const written = writtenOf(
            pick % 3 === 0 ? undefined : probable.services[pick % probable.services.length]?.service,
          );
          const own = new Map(added.map(({ name }, index) => [name, said[index] ?? GOOD]));
          const before = await pass(services, written);
          /** All that follows, with or without them. */
          const later = async (more: readonly Service[], passes: DiscoveryResult[] = []) => {
            let last = before;
            const calm = { failing: 'none', gone: 'none', which: 0, isRestart: false };
            for (const { failing, gone, which, isRestart } of [...moments, calm, calm]) {
              const isOne = (what: string, index: number) =>
                what === 'all' || (what === 'one' && index === which % services.length);
              const left = services.filter((_, index) => !isOne(gone, index));
              const answers = new Map(own);
              for (const [index, { name }] of services.entries())
                if (isOne(failing, index)) answers.set(name, FAILED);
              const from = isRestart ? published(last, written) : known(last, written);
              last = await pass([...left, ...more], written, from, answers);
              passes.push(last);
            }
            return last;
          };
          const passes: DiscoveryResult[] = [];
          const [alone, together] = [await later([], passes), await later(added)];
          const [was, is] = [toolsOf(alone, written), toolsOf(together, written)];
          // A newcomer may change which of the others takes over from one that fails, but not what stays in use.
          const first = toolsOf(before, written);
          const byKey = new Map(services.map((each) => [displayKey(each), each]));
          /** An installed Service with its Pods may take its place. */
          const isReplaced = (key: string): boolean =>
            services.some((by) => {
              const from = byKey.get(key);
              return from !== undefined && by !== from && is.has(displayKey(by)) && podsWithin(by, from);
            });
          /** Another one of its backend took its place for a while. */
          const isSucceeded = (key: string): boolean =>
            passes.some(
              ({ services: found, companions }) =>
                found.every(({ service: { name } }) => name !== byKey.get(key)?.name) &&
                found.some(
                  ({ service: one, alternates }) =>
                    alternates.includes(byKey.get(key)?.name ?? '') ||
                    companions.get(keyOfService(one))?.all.has(byKey.get(key)?.name ?? '') === true,
                ),
            );
          for (const [key, tool] of was) {
            const original = first.get(key);
            if (original === undefined || isReplaced(key) || isSucceeded(key)) continue;
            // A name is free while no tool has it, and one that others asked for before may be theirs.
            const isFree = passes.some(({ services: found }) =>
              found.every(({ tool: name }) => name !== original.name),
            );
            const isNamedAnew = isFree || is.get(key)?.name === original.name;
            expect(is.get(key)).toEqual(isNamedAnew ? { ...tool, name: expect.anything() } : tool);
          }
          for (const each of added)
            expect(JSON.stringify(is.get(displayKey(each))) ?? '').not.toMatch(/PINNED|TOKEN/);
        },
      ),
      {
        numRuns: Number(process.env.RUNS ?? 400),
        ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}),
      },
    );
  });

  test('from a Service that a person names, before anything is published', async () => {
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
          const named = probable.services[pick % probable.services.length]?.service;
          if (named === undefined) return;
          const written = writtenOf(named);
          const answers = new Map(added.map(({ name }, index) => [name, said[index] ?? GOOD]));
          const now = (then: Known) => pass([...services, ...added], written, then, answers);
          const [before, after] = [await pass(services, written), await now(await now({}))];
          const [was, is] = [toolsOf(before, written), toolsOf(after, written)];
          const key = displayKey(named);
          // The oldest Service gets a name that several ask for.
          expect(is.get(key)).toEqual({ ...was.get(key), name: expect.anything() });
          for (const each of added)
            expect(JSON.stringify(is.get(displayKey(each))) ?? '').not.toMatch(/PINNED|TOKEN/);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('after a Service with the same Pods took the place of one, and is deleted', async () => {
    const victim = lokiOf('loki', '2026-01-01T00:00:00Z', { app: 'loki' });
    const helper = lokiOf('loki-gw', '2026-01-01T00:05:00Z', { app: 'loki', x: 'y' });
    const thief = lokiOf('loki-gateway', '2026-01-03T00:00:00Z', { app: 'evil' });
    const down = new Map(['loki', 'loki-gw'].map((name) => [name, FAILED]));
    for (const known of [inProcess, published]) {
      let last = await pass([victim], NOTHING);
      for (const [services, answers] of [
        [[victim, helper]],
        [[victim, helper, thief]],
        [[victim, helper, thief], down],
        [[victim, helper, thief], down],
        [[victim, thief], down],
        [[victim, thief]],
        [[victim, thief]],
      ] as const)
        last = await pass(services, NOTHING, known(last, NOTHING), answers);
      const [was] = toolsOf(await pass([victim], NOTHING), NOTHING).values();
      expect(toolsOf(last, NOTHING).get('monitoring/loki')).toMatchObject({
        ...was,
        name: expect.anything(),
      });
    }
  });

  /** Two Services of one release, and one that came later, with the Pods of the second. */
  const ofRelease = (name: string, selector: Service['selector'], port: string): Service => ({
    ...service(name, { labels: { release: 'a' }, ports: [port] }),
    ...{ created: '2026-01-01T00:00:00Z', selector },
  });
  const logs = ofRelease('logs', { app: 'logs' }, 'http:3100');
  const loki = { ...ofRelease('loki', { app: 'loki', part: 'p' }, 'http-metrics:3100'), headless: true };
  const late = lokiOf('x-loki', LATE, { app: 'loki' });
  const allDown = new Map(['loki', 'logs'].map((name) => [name, FAILED]));
  test.each([
    ['came meanwhile', [[[logs, late], allDown]]],
    ['connected itself to it before', [[[logs, loki, late]], [[logs, late], allDown]]],
  ] as const)(
    'with the same Pods, from a Service that was deleted while all others failed: one that %s',
    async (_, moments) => {
      for (const known of [inProcess, published]) {
        const first = await pass([logs, loki], NOTHING);
        let last = first;
        for (const [services, answers] of [...moments, [[logs, loki, late]], [[logs, loki, late]]] as const)
          last = await pass(services, NOTHING, known(last, NOTHING), answers);
        const [was, is] = [toolsOf(first, NOTHING), toolsOf(last, NOTHING)];
        expect(is.get('monitoring/loki')).toEqual({ ...was.get('monitoring/loki'), name: expect.anything() });
      }
    },
  );

  test.each(['2026-01-01T00:05:00Z', '2025-01-01T00:00:00Z', '2026-01-03T00:00:00Z'])(
    'with the same Pods, from one that is in use, whether it works or not, and after it failed: created at %s',
    async (created) => {
      const victim = lokiOf('loki', '2026-01-01T00:00:00Z', { app: 'loki' });
      for (const known of [inProcess, published])
        for (const selector of [{ app: 'loki' }, { app: 'loki', x: 'y' }]) {
          const thief = lokiOf('loki-gateway', created, selector);
          const first = await pass([victim], NOTHING);
          let last = await pass([victim, thief], NOTHING, known(first, NOTHING));
          expect(toolsOf(last, NOTHING)).toEqual(toolsOf(first, NOTHING));
          for (const answers of [
            new Map([['loki', FAILED]]),
            new Map([['loki', FAILED]]),
            new Map(),
            new Map(),
          ])
            last = await pass([victim, thief], NOTHING, known(last, NOTHING), answers);
          expect(toolsOf(last, NOTHING).get('monitoring/loki')).toEqual(
            toolsOf(first, NOTHING).get('monitoring/loki'),
          );
        }
    },
  );

  test('from one that is created again: not its name either', async () => {
    const own = (name: string, selector: Service['selector']): Service => ({
      ...service(name, {
        labels: { app: 'loki' },
        ports: ['http-metrics:3100'],
        annotations: {
          'kubernaut.io/toolset': 'true',
          'kubernaut.io/toolset-type': 'loki',
          'kubernaut.io/toolset-name': 'logs',
        },
      }),
      selector,
    });
    const [victim, other] = [own('loki', { app: 'loki' }), own('x-other', { app: 'evil' })];
    const first = await pass([victim], NOTHING);
    const both = await pass([victim, other], NOTHING, first);
    const gone = await pass([other], NOTHING, both);
    const back = await pass([victim, other], NOTHING, gone);
    const names = ({ services }: DiscoveryResult) => services.map((each) => [each.service.name, each.tool]);
    expect(names(gone)).toEqual([['x-other', 'x-other.monitoring']]);
    expect(names(back)).toEqual([
      ['loki', 'logs'],
      ['x-other', 'x-other.monitoring'],
    ]);
    expect(names(await pass([other], NOTHING, { services: [] }))).toEqual([['x-other', 'logs']]);
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
