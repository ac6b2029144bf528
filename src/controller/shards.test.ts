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

test('readers of all ConfigMaps see every tool that stays, after each single write', async () => {
  const api = await configMapsApi();
  const events: EngineEvent[] = [];
  const reconciler = new Reconciler({
    publisher: configMapPublisher(api.kube, { namespace: 'ns', name: 'toolset' }, { lookFor: 4 }),
    version: '1',
    now: () => new Date(),
    outputs: OUTPUTS,
    generation: { credentials: {}, holmesgptVersion: '0.45.0', kinds: toolKinds(rules), ...LIMITS } as never,
    owner: async () => undefined,
    tell: (event) => events.push(event),
    force: true,
    removalHold: 0,
    once: false,
  });
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
