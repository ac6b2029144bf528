import { beforeEach, describe, expect, test, vi } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { ClusterError } from '../model/errors.ts';
import { generate } from '../outputs/generate.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { OwnerRefused, PublishConflict } from '../publishers/publisher.ts';
import type { EngineEvent } from './events.ts';
import { toolKinds } from './pass.ts';
import { Reconciler, type ReconcilerOptions } from './reconciler.ts';

const { signal } = new AbortController();
const HOLD = 300_000;

/** A Loki of an installation of its own. */
const loki = (name: string, health: 'healthy' | 'unhealthy' = 'healthy'): DiscoveredService =>
  discovered(
    service(name, {
      labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': name },
      selector: { app: name },
      ports: ['http:3100'],
    }),
    health,
  );
const lokis = (...names: string[]): DiscoveredService[] => names.map((name) => loki(name));

let place: MemoryPublisher;
let events: EngineEvent[];
let now: number;
beforeEach(() => {
  place = new MemoryPublisher();
  events = [];
  now = Date.parse('2026-01-01T00:00:00Z');
});
const told = <K extends EngineEvent['kind']>(kind: K) =>
  events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);

/** A process that reconciles. */
function process(more: Partial<ReconcilerOptions> = {}, before?: Reconciler) {
  const reconciler = new Reconciler(
    {
      publisher: place,
      version: '1',
      now: () => new Date(now),
      outputs: OUTPUTS,
      generation: { credentials: {}, holmesgptVersion: '0.45.0', kinds: toolKinds(rules) } as never,
      owner: async () => undefined,
      emit: (event) => events.push(event),
      force: false,
      removalHold: HOLD,
      once: false,
      ...more,
    },
    before,
  );
  return {
    reconciler,
    run: (found: readonly DiscoveredService[], contradicted: readonly string[] = []) =>
      reconciler.run({ found, contradicted }, 1, signal),
  };
}
const names = (...services: string[]): string[] => services.map((name) => `${name}.monitoring`).sort();

describe('most tools would be removed at once', () => {
  test.each<[string, readonly DiscoveredService[], readonly string[]]>([
    ['their Services are not seen any more', lokis('new'), []],
    ['something else answers for them', lokis('new'), names('a', 'b', 'c')],
    [
      'they are unhealthy',
      [...lokis('new'), loki('a', 'unhealthy'), loki('b', 'unhealthy'), loki('c', 'unhealthy')],
      [],
    ],
  ])(
    '%s: they stay, others are added, and after the hold they are removed',
    async (_, found, contradicted) => {
      const { run, reconciler } = process();
      await run(lokis('a', 'b', 'c'));
      const before = place.live?.data['custom_toolset.yaml'];
      await run(found, contradicted);
      expect(place.tools).toEqual(names('a', 'b', 'c', 'new'));
      expect(
        before?.split('\n').every((line) => place.live?.data['custom_toolset.yaml']?.includes(line)),
      ).toBe(true);
      expect(told('removal-held')).toMatchObject([{ tools: names('a', 'b', 'c'), retryIn: HOLD }]);
      expect(reconciler.due).toBeGreaterThan(HOLD - 10_000);
      // It is reported once.
      now += HOLD - 2_000;
      await run(found, contradicted);
      expect(told('removal-held')).toHaveLength(1);
      expect(place.tools).toHaveLength(4);
      now += 2_000;
      await run(found, contradicted);
      expect(place.tools).toEqual(names('new'));
      expect(place.live?.annotations).not.toHaveProperty('kubernaut.io/removal-held');
      expect(told('held-removed')).toMatchObject([{ tools: names('a', 'b', 'c'), allowed: false }]);
      expect(reconciler.due).toBeUndefined();
    },
  );

  test('one after the other, as probes fail: most of them stay', async () => {
    const { run } = process();
    const away = (...gone: string[]) =>
      ['a', 'b', 'c', 'd'].map((name) => loki(name, gone.includes(name) ? 'unhealthy' : undefined));
    await run(away());
    await run(away('a', 'b'));
    expect(place.tools).toEqual(names('c', 'd'));
    now += 10_000;
    await run(away('a', 'b', 'c'));
    await run(away('a', 'b', 'c', 'd'));
    expect(place.tools).toEqual(names('c', 'd'));
    now += HOLD;
    await run(away('a', 'b', 'c', 'd'));
    expect(place.tools).toEqual([]);
  });

  test('one that flaps is not counted twice', async () => {
    const { run } = process();
    const rest = ['b', 'c', 'd', 'e'].map((name) => loki(name));
    for (const health of [undefined, 'unhealthy', undefined, 'unhealthy', undefined, 'unhealthy'] as const) {
      await run([...rest, loki('a', health)]);
      now += 1_000;
    }
    expect(place.tools).toEqual(names('b', 'c', 'd', 'e'));
    expect(told('removal-held')).toEqual([]);
  });

  test('one Service that comes and goes under other names goes at once, each time', async () => {
    const generation = { credentials: {}, holmesgptVersion: '0.45.0', kinds: toolKinds(rules) };
    const { run } = process({ generation: { ...generation, namespaces: ['monitoring'] } as never });
    for (const tool of ['n1', 'n2', 'n3']) {
      await run([discovered(offered('a', { name: tool, type: 'loki' }))]);
      expect(place.tools).toEqual([tool]);
      now += 1_000;
      await run([]);
      expect(place.tools).toEqual([]);
      now += 1_000;
    }
    expect(told('removal-held')).toEqual([]);
  });

  test('the next one is held too', async () => {
    const { run } = process();
    for (const _ of ['first', 'second']) {
      await run(lokis('a', 'b', 'c'));
      await run([]);
      expect(place.tools).toHaveLength(3);
      now += HOLD;
      await run([]);
      expect(place.tools).toEqual([]);
    }
    expect(told('removal-held')).toHaveLength(2);
  });

  test('a new process continues the hold, and knows the previous state of the tools', async () => {
    await process().run(lokis('a', 'b', 'c'));
    const before = place.live?.data;
    now += 1_000;
    await process().run([]);
    expect(place.live?.data).toEqual(before);
    now += HOLD - 1_000;
    const another = process();
    await another.run(lokis('new'));
    expect(place.tools).toEqual(names('a', 'b', 'c', 'new'));
    now += 1_000;
    await another.run(lokis('new'));
    expect(place.tools).toEqual(names('new'));
  });

  test('a hold ends by the annotation, which is removed', async () => {
    const { run } = process();
    await run(lokis('a', 'b', 'c'));
    await run([]);
    place.annotate('kubernaut.io/allow-removal', 'true');
    await run([]);
    expect(place.tools).toEqual([]);
    expect(place.live?.annotations).not.toHaveProperty('kubernaut.io/allow-removal');
  });

  test('an annotation with another value stays, and is reported until it is corrected', async () => {
    const { run } = process();
    await run(lokis('a', 'b', 'c'));
    await run([]);
    place.annotate('kubernaut.io/allow-removal', 'yes');
    await run([]);
    expect(place.tools).toEqual(names('a', 'b', 'c'));
    expect(place.live?.annotations).toMatchObject({ 'kubernaut.io/allow-removal': 'yes' });
    expect(told('reconciled').at(-1)?.problems).toContainEqual({
      where: place.target,
      what: 'its annotation kubernaut.io/allow-removal has no effect, because its value is yes',
      fix: expect.stringContaining('set it to "true"'),
    });
    place.annotate('kubernaut.io/allow-removal', 'true');
    await run([]);
    expect(place.tools).toEqual([]);
    expect(place.live?.annotations).not.toHaveProperty('kubernaut.io/allow-removal');
    expect(told('reconciled').at(-1)?.problems).toEqual([]);
  });

  test('with force nothing is held', async () => {
    const { run } = process({ force: true });
    await run(lokis('a', 'b', 'c'));
    await run([]);
    expect(place.tools).toEqual([]);
    expect(told('removal-held')).toEqual([]);
  });

  test('disabled tools are removed, even while they are held', async () => {
    const { run } = process();
    await run(lokis('a', 'b', 'c'));
    await run([]);
    place.edit('overrides.yaml', 'tools: { a.monitoring: { enabled: false } }');
    await run([]);
    expect(place.tools).toEqual(names('b', 'c'));
  });

  test.each<[string, string, string[]]>([
    ['one of them', 'a.monitoring: { enabled: false }', ['b', 'c']],
    ['all', ['a', 'b', 'c'].map((name) => `${name}.monitoring: { enabled: false }`).join(', '), []],
  ])('disabled tools are not reported as held: %s', async (_, overrides, left) => {
    const { run, reconciler } = process();
    await run(lokis('a', 'b', 'c'));
    place.edit('overrides.yaml', `tools: { ${overrides} }`);
    await run([loki('a', 'unhealthy')]);
    expect(place.tools).toEqual(names(...left));
    expect(told('removal-held').map(({ tools }) => tools)).toEqual(left.length === 0 ? [] : [names(...left)]);
    expect(reconciler.due === undefined).toBe(left.length === 0);
  });

  test.each<[string, 'before' | 'during']>([
    ['during the outage', 'during'],
    ['before it', 'before'],
  ])('a mistake in the overrides that began %s and is corrected does not end the hold', async (_, began) => {
    const { run } = process();
    await run(lokis('a', 'b', 'c'));
    const out = [loki('a', 'unhealthy'), loki('b', 'unhealthy'), loki('c', 'unhealthy')];
    if (began === 'during') await run(out);
    now += 2_000;
    place.edit('overrides.yaml', 'tools: [');
    await run(out);
    await run(out);
    expect(place.tools).toEqual(names('a', 'b', 'c'));
    now += 2_000;
    place.edit('overrides.yaml', 'tools: {}');
    await run(out);
    expect(place.tools).toEqual(names('a', 'b', 'c'));
    const start = began === 'during' ? '2026-01-01T00:00:00Z' : '2026-01-01T00:00:04Z';
    expect(place.live?.annotations['kubernaut.io/removal-held']).toContain(start);
    await run(out);
    expect(place.tools).toEqual(names('a', 'b', 'c'));
    now += HOLD;
    await run(out);
    expect(place.tools).toEqual([]);
  });

  test('excluded tools are removed at once, and do not count', async () => {
    await process().run(lokis('a', 'b', 'c', 'd'));
    const excluded = ({ name }: { readonly name: string }) => (name.startsWith('d') ? undefined : 'off');
    const { run } = process({ excluded });
    await run(lokis('d'));
    expect(place.tools).toEqual(names('d'));
    await run([]);
    expect(place.tools).toEqual([]);
    expect(told('removal-held')).toEqual([]);
  });

  test('changes of others are published meanwhile', async () => {
    const { run } = process();
    await run(lokis('a', 'b', 'c', 'd'));
    await run(lokis('d'));
    expect(place.tools).toHaveLength(4);
    await run(lokis('e'));
    expect(place.tools).toEqual(names('a', 'b', 'c', 'd', 'e'));
  });

  test('a single pass removes no tool because of one failed probe', async () => {
    const once = { once: true };
    await process(once).run(lokis('a', 'b', 'c'));
    const sick = [...lokis('a', 'b'), loki('c', 'unhealthy')];
    await process(once).run(sick);
    expect(place.tools).toHaveLength(3);
    now += 60_000;
    await process(once).run(sick);
    expect(place.tools).toEqual(names('a', 'b'));
  });
});

test('external content is compared quickly, however much it is', async () => {
  const { run } = process();
  await run(lokis('a'));
  place.edit('custom_toolset.yaml', Array.from({ length: 1_000 }, (_, n) => `k${n}: 1\n`).join(''));
  await run(lokis('a'));
  expect(told('drift')).toMatchObject([
    { diff: expect.arrayContaining([{ kind: 'header', text: '@@ nearly all of it @@' }]) },
  ]);
});

describe('whatever is wrong with new documents, the published state is restored', () => {
  const broken: [string, (run: ReturnType<typeof process>['run']) => Promise<unknown>][] = [
    ['making them fails', (run) => run([{ ...loki('a'), endpoint: undefined as never }])],
  ];
  test.each(broken)('after a manual edit: %s', async (_, breaking) => {
    const { run } = process();
    await run(lokis('a', 'b'));
    const before = place.live?.data;
    place.edit('custom_toolset.yaml', 'toolsets: { evil: { command: id } }');
    expect(await breaking(run)).toMatchObject({
      written: expect.arrayContaining(['custom_toolset.yaml']),
      failure: { error: expect.any(Error) },
    });
    expect(place.live?.data).toEqual(before);
    expect(told('drift')).toMatchObject([{ keys: ['custom_toolset.yaml'] }]);
    expect(told('reconciled').at(-1)?.ok).toBe(false);
  });
  test.each(broken)('after a deletion: %s', async (_, breaking) => {
    const { run } = process();
    await run(lokis('a', 'b'));
    place.edit('overrides.yaml', '# mine');
    await run(lokis('a', 'b'));
    const before = place.live?.data;
    place.delete();
    await breaking(run);
    expect(place.live?.data).toEqual(before);
    expect(told('recreated')).toHaveLength(1);
  });
  test.each(broken)('by a new process, from the history: %s', async (_, breaking) => {
    await process().run(lokis('a', 'b'));
    const before = place.live?.data;
    place.edit('toolset.json', 'oops');
    await breaking(process().run);
    expect(place.live?.data).toEqual(before);
  });
  test.each(broken)('if nothing was ever published: %s', async (_, breaking) => {
    await expect(breaking(process().run)).rejects.toThrow();
    expect(place.live).toBeUndefined();
  });
  test('excess tools are left out, and the rest is published', async () => {
    const huge = { ...loki('huge'), description: 'x'.repeat(1024 * 1024) };
    await process().run([...lokis('a', 'b'), huge]);
    expect(place.tools).toEqual(names('a', 'b'));
    expect(told('reconciled').at(-1)).toMatchObject({ ok: true, cuts: [{ limit: 'document_bytes' }] });
  });
});

test('a ConfigMap of others is left alone', async () => {
  place.write({ data: { 'toolset.json': '{"tools":[]}' } });
  await expect(process().run(lokis('a'))).rejects.toThrow(/left as it is: it has toolset.json/);
  expect(place.applied).toEqual([]);
});

describe('concurrent writes', () => {
  test('lead to a new decision', async () => {
    let conflicts = 2;
    place.before = (what) => {
      if (what === 'apply' && conflicts-- > 0) throw new PublishConflict('quicker');
    };
    await process().run(lokis('a'));
    expect(place.tools).toEqual(names('a'));
    expect(place.reads).toBe(3);
  });
  test('forever: it gives up', async () => {
    place.before = (what) => {
      if (what === 'apply') throw new PublishConflict('quicker');
    };
    await expect(process().run(lokis('a'))).rejects.toThrow('quicker');
    expect(place.reads).toBe(6);
  });
  test('after ours: the external change is no revision, and is reverted', async () => {
    const { run } = process();
    await run(lokis('a'));
    const apply = place.apply.bind(place);
    vi.spyOn(place, 'apply').mockImplementationOnce(async (plan) => {
      const stored = await apply(plan);
      place.write({ data: { ...generate([]).documents } });
      return stored;
    });
    await run(lokis('a', 'b'));
    expect(place.tools).toEqual([]);
    await run(lokis('a', 'b'));
    expect(place.tools).toEqual(names('a', 'b'));
    expect(
      place.revisions.map(({ documents }) => JSON.parse(documents['toolset.json'] ?? '').tools.length),
    ).toEqual([1, 2]);
  });
});

test('a refused owner is reported, and everything else is published', async () => {
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u' };
  const refusing = vi.spyOn(place, 'apply').mockRejectedValueOnce(new OwnerRefused('no owner'));
  await process({ owner: async () => owner }).run(lokis('a'));
  expect(refusing).toHaveBeenCalledTimes(2);
  expect(place.live?.owners).toBeUndefined();
  expect(told('reconciled').at(-1)?.problems).toMatchObject([{ what: 'no owner' }]);
});

describe('the history', () => {
  test('is retried and reported if it cannot be written', async () => {
    place.before = (what) => {
      if (what === 'record') throw new ClusterError('cannot keep');
    };
    const { run } = process();
    await run(lokis('a'));
    expect(place.tools).toEqual(names('a'));
    expect(told('reconciled').at(-1)).toMatchObject({
      ok: true,
      recorded: false,
      problems: [{ what: expect.stringContaining('no history is kept') }],
    });
    place.before = () => {};
    await run(lokis('a'));
    expect(told('reconciled').at(-1)).toMatchObject({ recorded: true, problems: [], revision: 1 });
  });
  test('is not recorded twice', async () => {
    const recording = vi.spyOn(place.history, 'record');
    const { run } = process();
    await run(lokis('a'));
    await run(lokis('a'));
    expect(recording).toHaveBeenCalledTimes(1);
  });
});

test('a program that keeps writing the same change is left alone for a while', async () => {
  const { run, reconciler } = process();
  await run(lokis('a'));
  for (let time = 0; time < 3; time++) {
    place.edit('toolset.json', 'oops');
    expect(await run(lokis('a'))).toBeDefined();
  }
  place.edit('toolset.json', 'oops');
  expect(await run(lokis('a'))).toBeUndefined();
  expect(told('drift-repeated')).toHaveLength(1);
  expect(reconciler.due).toBeGreaterThan(30_000);
  // What we want to change ourselves does not wait.
  expect(await run(lokis('a', 'b'))).toBeDefined();
});

describe('documents that do not fit into one ConfigMap', () => {
  const LIMITS = { maxToolsPerNamespace: 1_000, maxDocumentKib: 16, maxShards: 4 };
  const generation = {
    credentials: {},
    holmesgptVersion: '0.45.0',
    kinds: toolKinds(rules),
    ...LIMITS,
  } as never;
  const found = lokis(...Array.from({ length: 90 }, (_, number) => `loki-${number}`));
  const shardsOf = () => Object.keys(place.live?.data ?? {}).filter((key) => key.includes('#'));

  test('are published in parts, recorded whole, and stay unchanged', async () => {
    const { run } = process({ generation });
    const reconciled = await run(found);
    expect(reconciled?.tools).toHaveLength(90);
    expect(shardsOf().length).toBeGreaterThan(0);
    expect(place.live?.annotations).toMatchObject({ 'kubernaut.io/discovered-services': '90' });
    expect(place.revisions[0]?.documents).toMatchObject({ 'toolset.json#2': expect.any(String) });
    await process({ generation }).run(found);
    await run(found);
    expect(place.applied).toHaveLength(1);
    expect(told('drift')).toEqual([]);
  });

  test('a missing or edited part is drift, and is restored', async () => {
    const { run } = process({ generation });
    await run(found);
    const [part = ''] = shardsOf();
    const data = { ...place.live?.data };
    const text = data[part];
    delete data[part];
    place.write({ data });
    await run(found);
    expect(place.live?.data[part]).toBe(text);
    expect(told('drift').at(-1)).toMatchObject({ keys: [part] });
    place.edit(part, '{"tools":[]}');
    await process({ generation }).run(found);
    expect(place.live?.data[part]).toBe(text);
    expect(told('drift').at(-1)).toMatchObject({ keys: [part] });
  });

  test('shrink, and no part remains', async () => {
    const { run } = process({ generation, force: true });
    await run(found);
    await run(found.slice(0, 5));
    expect(shardsOf()).toEqual([]);
    expect(place.tools).toHaveLength(5);
  });

  test.each([
    [1, 0],
    [2, 1],
  ])('are trimmed to %d if no more may be written, and a note explains why', async (most, parts) => {
    place.mostShards = most;
    const { run } = process({ generation });
    const reconciled = await run(found);
    expect(shardsOf()).toHaveLength(parts);
    expect(reconciled?.tools.length).toBeLessThan(90);
    expect(reconciled?.tools.length).toBeGreaterThan(5);
    const problems = told('reconciled').at(-1)?.problems ?? [];
    expect(problems.filter(({ what }) => what.includes('may not write the place-2'))).toHaveLength(1);
    expect(problems.some(({ fix }) => fix?.includes('MAX_SHARDS'))).toBe(true);
    await run(found);
    expect(place.applied).toHaveLength(1);
    // Another configuration or a restart tries again.
    place.mostShards = 16;
    await process({ generation }).run(found);
    expect(shardsOf().length).toBeGreaterThan(parts);
  });
});
