import { expect, test } from 'vitest';
import { configMapsApi } from '../../test/fixtures/unit/config-maps-api.ts';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { configMapPublisher } from '../publishers/config-map/config-map-publisher.ts';
import type { EngineEvent } from './events.ts';
import { toolKinds } from './pass.ts';
import { Reconciler } from './reconciler.ts';

const { signal } = new AbortController();
const LIMITS = { maxToolsPerNamespace: 1_000, maxDocumentKib: 32, maxShards: 4 };

const lokis = (from: number, to: number): DiscoveredService[] =>
  Array.from({ length: to - from }, (_, index) => {
    const name = `loki-${String(from + index).padStart(3, '0')}`;
    const found = discovered(
      service(name, {
        labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/instance': name },
        selector: { app: name },
        ports: ['http:3100'],
      }),
    );
    const created = new Date(Date.UTC(2026, 0, 1) + (from + index) * 1000).toISOString();
    return { ...found, service: { ...found.service, created } };
  });

async function setup() {
  const api = await configMapsApi();
  const events: EngineEvent[] = [];
  const warnings: string[] = [];
  const onDenied = (line: string): void => void warnings.push(line);
  const reconciler = new Reconciler({
    publisher: configMapPublisher(api.kube, { namespace: 'ns', name: 'toolset' }, { lookFor: 4, onDenied }),
    version: '1',
    now: () => new Date(),
    outputs: OUTPUTS,
    generation: { credentials: {}, holmesgptVersion: '0.45.0', kinds: toolKinds(rules), ...LIMITS } as never,
    owner: async () => undefined,
    emit: (event) => events.push(event),
    force: true,
    removalHold: 0,
    once: false,
  });
  return { api, events, warnings, reconciler };
}

test('readers of all ConfigMaps see every tool that stays, after each single write', async () => {
  const { api, events, reconciler } = await setup();
  const visible = (): Set<string> =>
    new Set(
      [...api.stored.values()].flatMap(({ data }) =>
        (JSON.parse(data['toolset.json'] ?? '{"tools":[]}') as { tools: { name: string }[] }).tools.map(
          ({ name }) => name,
        ),
      ),
    );
  let missing: string[] = [];
  const steps = [
    lokis(0, 20),
    // More than fit into one, one more at each end, and one less in the first and in the last.
    lokis(0, 150),
    lokis(0, 151),
    [...lokis(0, 5), ...lokis(6, 151)],
    lokis(0, 151),
    lokis(0, 150),
    // Older ones come, which take room in the first, and go.
    [
      ...lokis(900, 903).map((each) => ({ ...each, service: { ...each.service, created: '2025' } })),
      ...lokis(0, 150),
    ],
    lokis(0, 150),
    lokis(0, 60),
    lokis(0, 5),
  ];
  const shards: number[] = [];
  for (const found of steps) {
    const stay = new Set(found.map(({ tool }) => tool).filter((tool) => visible().has(tool)));
    api.after = () => {
      const now = visible();
      missing = [...missing, ...[...stay].filter((tool) => !now.has(tool))];
    };
    await reconciler.run({ found, contradicted: [] }, 1, signal);
    expect([...visible()].sort()).toEqual(found.map(({ tool }) => tool).sort());
    shards.push(api.stored.size);
  }
  expect(missing).toEqual([]);
  expect(Math.max(...shards)).toBeGreaterThan(2);
  expect(shards.at(-1)).toBe(1);
  expect(events.filter(({ kind }) => kind === 'drift' || kind === 'rolled-back')).toEqual([]);
});

test('a part that could not be used is used again as soon as possible, and until then it is not written', async () => {
  const { api, reconciler } = await setup();
  const found = lokis(0, 150);
  const run = () => reconciler.run({ found, contradicted: [] }, 1, signal);
  const theirs = { metadata: { name: 'toolset-2', labels: { team: 'a' } }, data: { a: 'b' } };
  api.put('toolset-2', theirs);
  await run();
  await run();
  expect(api.stored.get('toolset-2')).toMatchObject(theirs);
  expect(api.writes.filter((write) => write !== 'PATCH toolset')).toEqual([]);
  api.remove('toolset-2');
  await run();
  expect(api.stored.size).toBeGreaterThan(2);

  // One of ours that turns immutable costs no other part.
  const texts = () => [...api.stored].map(([name, { data }]) => [name, data['toolset.json']]);
  const before = texts();
  const part = api.stored.get('toolset-2');
  const data = { 'toolset.json': '{"tools":[]}' };
  api.writes.length = 0;
  api.put('toolset-2', { ...part, data, immutable: true });
  await run();
  expect(api.writes).not.toContain('DELETE toolset-3');
  expect(new Map(texts() as never)).toEqual(new Map(before as never));
});

test('after a kill between two writes, no external change is reported', async () => {
  const first = await setup();
  await first.reconciler.run({ found: lokis(0, 150), contradicted: [] }, 1, signal);
  const annotations = first.api.stored.get('toolset')?.metadata.annotations ?? {};
  await first.reconciler.run({ found: lokis(0, 151), contradicted: [] }, 2, signal);
  const killed = await setup();
  for (const [name, object] of first.api.stored) {
    // The hash is the one from before, and all documents are new.
    const metadata = name === 'toolset' ? { ...object.metadata, annotations } : object.metadata;
    killed.api.put(name, { ...object, metadata });
  }
  await killed.reconciler.run({ found: lokis(0, 151), contradicted: [] }, 1, signal);
  expect(killed.api.writes).toEqual(['PATCH toolset']);
  expect(killed.events.filter(({ kind }) => kind === 'drift')).toEqual([]);
});

test.each([
  ['be deleted', /^DELETE toolset-/, 'has no part of the toolset any more, and may not be deleted'],
  [
    'be changed or deleted',
    /^(DELETE|PATCH) toolset-/,
    'is not needed any more and keeps outdated tools, because it may not be changed',
  ],
])(
  'unneeded parts that may not %s block no publication, and one line each says what to do',
  async (_, denied, what) => {
    const { api, events, warnings, reconciler } = await setup();
    const run = (count: number) => reconciler.run({ found: lokis(0, count), contradicted: [] }, 1, signal);
    const toolsIn = (name: string): number | undefined => {
      const text = api.stored.get(name)?.data['toolset.json'];
      return text === undefined ? undefined : JSON.parse(text).tools.length;
    };
    await run(150);
    api.refusing = (request) => (denied.test(request) ? 403 : undefined);
    for (let runs = 0; runs < 3; runs++) await run(20);
    expect(toolsIn('toolset')).toBe(20);
    const isEmptied = !denied.test('PATCH toolset-2');
    expect(toolsIn('toolset-2') === undefined).toBe(isEmptied);
    expect(warnings).toEqual([
      expect.stringMatching(`^ConfigMap ns/toolset-2 ${what}: .*kubectl -n ns delete configmap toolset-2$`),
      expect.stringMatching(`^ConfigMap ns/toolset-3 ${what}: .*kubectl -n ns delete configmap toolset-3$`),
    ]);
    expect(events.filter(({ kind }) => kind === 'published')).toHaveLength(2);
    expect(events.filter(({ kind }) => kind === 'drift' || kind === 'publish-failed')).toEqual([]);
    api.writes.length = 0;
    await run(20);
    expect(api.writes).toEqual([]);
    // With the rights again, they are used as before, and go as before.
    api.refusing = () => undefined;
    await run(150);
    expect(toolsIn('toolset-2')).toBeGreaterThan(10);
    await run(19);
    expect([...api.stored.keys()]).toEqual(['toolset']);
    expect(warnings).toHaveLength(2);
  },
);

test('after rights were missing for a while, all parts are used again', async () => {
  const { api, reconciler } = await setup();
  const run = (count: number) => reconciler.run({ found: lokis(0, count), contradicted: [] }, 1, signal);
  const names = () => [...api.stored.keys()].sort();
  await run(150);
  const divided = names();
  api.refusing = (request) => (/^(DELETE|PATCH|POST) toolset-/.test(request) ? 403 : undefined);
  await run(148);
  await run(148);
  api.refusing = () => undefined;
  api.allowing = () => true;
  await run(148);
  await run(148);
  expect(names()).toEqual(divided);
  const tools = [...api.stored.values()].flatMap(
    ({ data }) => JSON.parse(data['toolset.json'] ?? '{}').tools,
  );
  expect(tools).toHaveLength(148);
});
