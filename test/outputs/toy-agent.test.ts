import { beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { builtInDetectors } from '../../src/config/detector-files.ts';
import { toolKinds } from '../../src/controller/pass.ts';
import { Reconciler } from '../../src/controller/reconciler.ts';
import { detect } from '../../src/detection/detect.ts';
import { makeRules } from '../../src/detection/make-rules.ts';
import { detectorSchemaOf } from '../../src/model/detector.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import { NO_OVERRIDES, overridesSchemaOf, reservedNames } from '../../src/model/overrides.ts';
import { SMALL } from '../../src/model/yaml-document.ts';
import { readYaml } from '../../src/model/yaml-text.ts';
import { asFaults } from '../../src/outputs/faults.ts';
import type { Output, Rendered } from '../../src/outputs/output.ts';
import { outputsOf } from '../../src/outputs/outputs.ts';
import { OUTPUTS, type OutputSettings } from '../../src/outputs/registry.ts';
import { admissionOf } from '../../src/planning/admission.ts';
import { MemoryPublisher } from '../fixtures/unit/memory-publisher.ts';
import { service } from '../fixtures/unit/service.ts';

// ---- The whole agent: what a folder below src/outputs would hold.

const mapping = z.strictObject({ plugin: z.string().min(1) });
/** What users write for the agent in `overrides.yaml`: plugins of their own. */
const part = z.strictObject({ mine: z.record(z.string(), z.url()) }).default({ mine: {} });
type Part = z.infer<typeof part>;
const file = z.strictObject({ plugins: z.record(z.string(), z.url()) });

/** An agent that reads plugins with their URLs. */
const toy: Output = {
  id: 'toy',
  documents: [
    {
      name: 'toy.json',
      mediaType: 'application/json',
      check: (text, limits) => asFaults(readYaml(text, file, { limits })),
    },
  ],
  mapping: { schema: mapping, isMcp: () => false },
  overrides: {
    schema: part,
    mentions: ({ mine }: Part) => ({
      names: Object.keys(mine),
      keys: [],
      servers: Object.entries(mine).map(([key, url]) => ({ key, urls: [url], where: `toy, mine ${key}` })),
    }),
    faults: ({ mine }: Part) =>
      Object.keys(mine).flatMap((key) =>
        key === 'none' ? [{ path: ['mine', key], message: 'is no name', level: 'fault' as const }] : [],
      ),
  },
  render(ordered, { overrides }) {
    const { mine } = (overrides.parts.toy as Part | undefined) ?? { mine: {} };
    const plugins = ordered.flatMap(({ mappings, endpoint: { scheme, host, port } }) =>
      mappings.toy === undefined
        ? []
        : [[mapping.parse(mappings.toy).plugin, `${scheme}://${host}:${port}`] as const],
    );
    const content = `${JSON.stringify({ plugins: { ...Object.fromEntries(plugins.sort()), ...mine } })}\n`;
    return { artifacts: [{ name: 'toy.json', mediaType: 'application/json', content }] };
  },
  sizeOf: () => 100,
};

// ---- The line that a registry would have.

const outputs = outputsOf<OutputSettings>([...OUTPUTS.all, toy]);

/** A detector of a user's, with an entry for the agent. */
const DETECTOR = `type: inventory
title: Inventory
description: What teams run
names: [inventory]
ports: { numbers: [8080] }
outputs:
  toy: { plugin: stock }
`;

const detectorSchema = detectorSchemaOf(
  Object.fromEntries(
    outputs.all.flatMap((each) => (each.mapping === undefined ? [] : [[each.id, each.mapping] as const])),
  ),
);

function detectorIn(text: string) {
  const read = readYaml(text, detectorSchema);
  if ('faults' in read) throw new Error(read.faults.map(({ message }) => message).join('; '));
  return read.value;
}

const overridesSchema = overridesSchemaOf(
  Object.fromEntries(
    outputs.all.flatMap(({ id, overrides }) => (overrides === undefined ? [] : [[id, overrides] as const])),
  ),
);

const { rules } = makeRules(builtInDetectors(), {
  added: [{ name: 'inventory.yaml', detector: detectorIn(DETECTOR) }],
  options: {},
  disabled: [],
});

const discovered = (health: 'healthy' | 'unhealthy' = 'healthy'): DiscoveredService[] => {
  const { candidates } = detect(
    [
      service('inventory', { labels: { app: 'inventory' }, ports: ['http:8080'] }),
      service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }),
    ],
    rules,
    { clusterDomain: 'cluster.local', allowedHosts: [], allowExternalNames: false },
  );
  const verdict = { authRequired: false, proof: 'proven', reason: '', steps: [] } as const;
  return candidates.map((each) => ({
    ...each,
    verdict: { ...verdict, health: each.type === 'inventory' ? health : 'healthy' },
  }));
};

/** An MCP server at a URL. */
function discoveredMcp(url: string): DiscoveredService {
  const { hostname: host, port, pathname: path } = new URL(url);
  const [found] = discovered();
  if (found === undefined) throw new Error('nothing was discovered');
  return { ...found, mcp: true, endpoint: { scheme: 'http', host, port: Number(port), path } };
}

const { signal } = new AbortController();

let clock = 0;
beforeEach(() => {
  clock = 0;
});

function reconciler(publisher: MemoryPublisher, given = outputs): Reconciler {
  return new Reconciler({
    publisher,
    outputs: given,
    version: '1',
    now: () => new Date(clock),
    generation: { credentials: {}, holmesgptVersion: '0.32', kinds: toolKinds(rules) },
    owner: async () => undefined,
    emit: () => {},
    force: false,
    removalHold: 300_000,
    once: false,
  });
}
const run = (each: Reconciler, found: readonly DiscoveredService[]) =>
  each.run({ found, contradicted: [] }, 1, signal);
const plugins = ({ live }: MemoryPublisher): unknown => JSON.parse(live?.data['toy.json'] ?? '{}').plugins;

const STOCK = { stock: 'http://inventory.monitoring.svc.cluster.local:8080' };

describe('an agent in one file', () => {
  test('its document is published with the others, and a deleted backend is removed from it', async () => {
    const place = new MemoryPublisher();
    const it = reconciler(place);
    await run(it, discovered());
    expect(Object.keys(place.live?.data ?? {}).sort()).toEqual([...outputs.names].sort());
    expect(plugins(place)).toEqual(STOCK);
    expect(place.tools).toEqual(['inventory.monitoring', 'loki.monitoring']);
    await run(it, discovered('unhealthy'));
    expect(plugins(place)).toEqual({});
    expect(place.tools).toEqual(['loki.monitoring']);
  });

  test('drift of its document is reverted, and a rollback brings it back', async () => {
    const place = new MemoryPublisher();
    const it = reconciler(place);
    await run(it, discovered());
    place.edit('toy.json', '{}');
    expect(await run(it, discovered())).toMatchObject({ written: ['toy.json'] });
    expect(plugins(place)).toEqual(STOCK);
    expect(place.revisions.at(-1)?.documents).toHaveProperty('toy.json');
  });

  test('its check decides whether the stored document is usable', () => {
    expect(toy.documents[0]?.check('{"plugins":{"a":"no URL"}}', SMALL).refused).toBe(true);
    const documents = { ...Object.fromEntries(outputs.names.map((name) => [name, ''])) };
    expect(outputs.faultsOf({ ...documents, 'toy.json': '{"plugins":7}' })).toContainEqual(
      expect.stringMatching(/^toy\.json, line 1, column \d+: plugins/),
    );
  });

  test('its entry in a detector is checked by its own schema', () => {
    expect(() => detectorIn(DETECTOR.replace('plugin:', 'plugins:'))).toThrow(
      /unknown key "plugins".*plugin/,
    );
    expect(() => detectorIn(DETECTOR.replace('toy:', 'tox:'))).toThrow(/tox/);
    expect(detectorIn(DETECTOR)).toMatchObject({ outputs: { toy: { plugin: 'stock' } }, mcp: false });
  });

  test('its part of overrides.yaml is checked by its own schema, and affects names and approvals', () => {
    const url = 'http://orders.shop.svc.cluster.local:8000/mcp';
    const overrides = overridesSchema.parse({ toy: { mine: { Ledger: url } } });
    expect(reservedNames(overrides)).toEqual(new Set(['ledger']));
    const server = discoveredMcp(url);
    expect(admissionOf(server, { mcpPolicy: 'approve' }, overrides)).toMatchObject({
      state: 'listed',
      reason: expect.stringContaining('toy, mine Ledger'),
    });
    expect(admissionOf(server, { mcpPolicy: 'approve' }, NO_OVERRIDES)).toMatchObject({ state: 'waiting' });
    const [artifact] = (toy.render([], { overrides } as never) as Rendered).artifacts;
    expect(JSON.parse(artifact?.content ?? '')).toEqual({ plugins: { Ledger: url } });
    expect(() => overridesSchema.parse({ toy: { yours: {} } })).toThrow(/yours/);
    expect(() => overridesSchema.parse({ tox: {} })).toThrow(/tox/);
    expect(overridesSchema.parse(undefined).parts).toEqual({ holmesgpt: {}, toy: { mine: {} } });
  });

  test('an upgrade that adds it keeps the names and holds of published tools', async () => {
    const place = new MemoryPublisher();
    await run(reconciler(place, OUTPUTS), discovered());
    const before = place.live?.data;
    await run(reconciler(place), discovered());
    expect(place.live?.data).toMatchObject(before ?? {});
    expect(plugins(place)).toEqual(STOCK);
    await run(reconciler(place), []);
    expect(place.tools).toHaveLength(2);
  });
});

describe('its documents in a separate place, from which no tools can be read back', () => {
  const own = outputsOf<OutputSettings>([toy]);
  const HOLD = 300_000;

  test.each(['the same process', 'another process'])(
    '%s holds a mass removal, and releases it',
    async (who) => {
      const place = new MemoryPublisher();
      const first = reconciler(place, own);
      await run(first, discovered());
      const next = who === 'the same process' ? first : reconciler(place, own);
      await run(next, []);
      expect(plugins(place)).toEqual(STOCK);
      expect(place.live?.annotations).toHaveProperty(['kubernaut.io/removal-held']);
      clock = HOLD - 1_000;
      await run(reconciler(place, own), []);
      expect(plugins(place)).toEqual(STOCK);
      clock = HOLD + 1_000;
      await run(who === 'the same process' ? first : reconciler(place, own), []);
      expect(plugins(place)).toEqual({});
      expect(place.live?.annotations).not.toHaveProperty(['kubernaut.io/published-tools']);
    },
  );

  test('new tools are published while removals are held', async () => {
    const place = new MemoryPublisher();
    const lokis = discovered().slice(1);
    await run(reconciler(place, own), [...lokis, ...lokis.map((each) => ({ ...each, tool: 'b' }))]);
    await run(reconciler(place, own), discovered().slice(0, 1));
    expect(plugins(place)).toEqual(STOCK);
  });

  test('a manual edit does not end a hold, and a deleted place is recreated with all tools', async () => {
    const place = new MemoryPublisher();
    await run(reconciler(place, own), discovered());
    place.edit('toy.json', '{}');
    const second = reconciler(place, own);
    await run(second, []);
    expect(plugins(place)).toEqual(STOCK);
    place.delete();
    await run(second, []);
    expect(plugins(place)).toEqual(STOCK);
  });

  test('a user can release the held tools', async () => {
    const place = new MemoryPublisher();
    await run(reconciler(place, own), discovered());
    place.annotate('kubernaut.io/allow-removal', 'true');
    await run(reconciler(place, own), []);
    expect(plugins(place)).toEqual({});
  });
});
