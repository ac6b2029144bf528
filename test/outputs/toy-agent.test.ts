import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { fileText, notGenerated } from '../../src/cli/generated-file.ts';
import { writeResult } from '../../src/cli/write-result.ts';
import { builtInDetectors } from '../../src/config/detector-files.ts';
import { toolKinds } from '../../src/controller/pass.ts';
import { Reconciler } from '../../src/controller/reconciler.ts';
import { detect } from '../../src/detection/detect.ts';
import { makeRules } from '../../src/detection/make-rules.ts';
import { detectorSchemaOf } from '../../src/model/detector.ts';
import { type DiscoveredService, endpointUrl } from '../../src/model/discovery.ts';
import { NO_OVERRIDES, overridesSchemaOf, reservedNames } from '../../src/model/overrides.ts';
import { jsonText } from '../../src/model/visible.ts';
import { SMALL } from '../../src/model/yaml-document.ts';
import { readYaml } from '../../src/model/yaml-text.ts';
import { asFaults } from '../../src/outputs/faults.ts';
import type { DocumentType, Output, Rendered } from '../../src/outputs/output.ts';
import { outputsOf } from '../../src/outputs/outputs.ts';
import { OUTPUTS, type OutputSettings } from '../../src/outputs/registry.ts';
import { admissionOf } from '../../src/planning/admission.ts';
import { cliContext } from '../fixtures/unit/cli.ts';
import { MemoryPublisher } from '../fixtures/unit/memory-publisher.ts';
import { service } from '../fixtures/unit/service.ts';

// ---- The whole agent: what a folder below src/outputs would hold.

const mapping = z.strictObject({ plugin: z.string().min(1) });
/** What users write for the agent in `overrides.yaml`: plugins of their own. */
const part = z.strictObject({ mine: z.record(z.string(), z.url()) }).default({ mine: {} });
type Part = z.infer<typeof part>;
const file = z.strictObject({ plugins: z.record(z.string(), z.url()) });

const ID = 'test-only-agent';
const FILE = `${ID}.json`;

const toyDocument: DocumentType = {
  name: FILE,
  mediaType: 'application/json',
  check: (text, limits) => asFaults(readYaml(text, file, { limits })),
};

/** An agent that reads plugins with their URLs. */
const toy: Output = {
  id: ID,
  documents: [toyDocument],
  mapping: { schema: mapping, isMcp: () => false },
  overrides: {
    schema: part,
    mentions: ({ mine }: Part) => ({
      names: Object.keys(mine),
      keys: [],
      servers: Object.entries(mine).map(([key, url]) => ({ key, urls: [url], where: `${ID}, mine ${key}` })),
    }),
    faults: ({ mine }: Part) =>
      Object.keys(mine).flatMap((key) =>
        key === 'none' ? [{ path: ['mine', key], message: 'is no name', level: 'fault' as const }] : [],
      ),
  },
  render(ordered, { overrides }) {
    const { mine } = (overrides.parts[ID] as Part | undefined) ?? { mine: {} };
    const plugins = ordered.flatMap(({ mappings, endpoint }) =>
      mappings[ID] === undefined
        ? []
        : [[mapping.parse(mappings[ID]).plugin, endpointUrl(endpoint)] as const],
    );
    const content = `${jsonText({ plugins: { ...Object.fromEntries(plugins.sort()), ...mine } }, 2)}\n`;
    return { artifacts: [{ name: FILE, mediaType: 'application/json', content }] };
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
  ${ID}: { plugin: stock }
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
const plugins = ({ live }: MemoryPublisher): unknown => JSON.parse(live?.data[FILE] ?? '{}').plugins;

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
    place.edit(FILE, '{}');
    expect(await run(it, discovered())).toMatchObject({ written: [FILE] });
    expect(plugins(place)).toEqual(STOCK);
    expect(place.revisions.at(-1)?.documents).toHaveProperty([FILE]);
  });

  test('its check decides whether the stored document is usable', () => {
    expect(toyDocument.check('{"plugins":{"a":"no URL"}}', SMALL).refused).toBe(true);
    const documents = { ...Object.fromEntries(outputs.names.map((name) => [name, ''])) };
    expect(outputs.faultsOf({ ...documents, [FILE]: '{"plugins":7}' })).toContainEqual(
      expect.stringMatching(`^${FILE}, line 1, column \\d+: plugins`),
    );
  });

  test('its entry in a detector is checked by its own schema', () => {
    expect(() => detectorIn(DETECTOR.replace('plugin:', 'plugins:'))).toThrow(
      /unknown key "plugins".*plugin/,
    );
    expect(() => detectorIn(DETECTOR.replace(`${ID}:`, 'tox:'))).toThrow(/tox/);
    expect(detectorIn(DETECTOR)).toMatchObject({ outputs: { [ID]: { plugin: 'stock' } }, mcp: false });
  });

  test('its part of overrides.yaml is checked by its own schema, and affects names and approvals', () => {
    const url = 'http://orders.shop.svc.cluster.local:8000/mcp';
    const overrides = overridesSchema.parse({ [ID]: { mine: { Ledger: url } } });
    expect(reservedNames(overrides)).toEqual(new Set(['ledger']));
    const server = discoveredMcp(url);
    expect(admissionOf(server, { mcpPolicy: 'approve' }, overrides)).toMatchObject({
      state: 'listed',
      reason: expect.stringContaining(`${ID}, mine Ledger`),
    });
    expect(admissionOf(server, { mcpPolicy: 'approve' }, NO_OVERRIDES)).toMatchObject({ state: 'waiting' });
    const [artifact] = (toy.render([], { overrides } as never) as Rendered).artifacts;
    expect(JSON.parse(artifact?.content ?? '')).toEqual({ plugins: { Ledger: url } });
    expect(() => overridesSchema.parse({ [ID]: { yours: {} } })).toThrow(/yours/);
    expect(() => overridesSchema.parse({ tox: {} })).toThrow(/tox/);
    expect(overridesSchema.parse(undefined).parts).toMatchObject({ [ID]: { mine: {} } });
  });

  test.each([
    ['JSON', {}],
    ['a format with comments', { comment: ';' }],
  ])('generate replaces its own file, and no other: %s', async (_, more) => {
    const folder = await mkdtemp(join(tmpdir(), 'toy-agent-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const out = join(folder, FILE);
    const type = { ...toyDocument, ...more };
    const generate = (...names: readonly string[]): Promise<void> => {
      const mine = Object.fromEntries(names.map((name) => [name, 'http://a.b']));
      const overrides = overridesSchema.parse({ [ID]: { mine } });
      const [artifact] = (toy.render([], { overrides } as never) as Rendered).artifacts;
      const text = fileText(type, artifact?.content ?? '');
      return writeResult(text, out, (before) => notGenerated(type, before), cliContext().cli);
    };
    await generate();
    await generate('first');
    await generate('second');
    const text = await readFile(out, 'utf8');
    expect(text).toContain('second');
    expect(text).not.toContain('first');
    await writeFile(out, text.replace('{', '{ '));
    await expect(generate()).rejects.toThrow('is not what generate writes');
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
    place.edit(FILE, '{}');
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
