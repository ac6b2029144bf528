import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { byShard, type Documents, shardOf } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Limits } from '../planning/budget.ts';
import { asFaults } from './faults.ts';
import { generate } from './generate.ts';
import { holmesgpt } from './holmesgpt/output.ts';
import type { Output } from './output.ts';
import { outputsOf } from './outputs.ts';
import type { OutputSettings } from './registry.ts';
import { toolsetJsonOutput } from './toolset-json/output.ts';

/** One output that can be divided and one that cannot, whatever else the registry lists. */
const OUTPUTS = outputsOf<OutputSettings>([toolsetJsonOutput, holmesgpt]);

const template = discovered(offered('template'));

/** Services of a namespace; the first is the oldest. */
const many = (namespace: string, count: number): DiscoveredService[] =>
  Array.from({ length: count }, (_, number) => {
    const name = `s${String(number).padStart(4, '0')}`;
    return {
      ...template,
      service: {
        ...template.service,
        namespace,
        name,
        created: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
      },
      tool: `${name}.${namespace}`,
      endpoint: { ...template.endpoint, host: `${name}.${namespace}.svc.cluster.local` },
    };
  });

const made = (found: readonly DiscoveredService[], limits: Partial<Limits>, outputs = OUTPUTS) =>
  generate(
    found,
    {
      credentials: {},
      holmesgptVersion: '0.32',
      overrides: NO_OVERRIDES,
      kinds: new Map(),
      maxToolsPerNamespace: 10_000,
      ...limits,
    },
    outputs,
  );

const bytesIn = (documents: Documents): number =>
  Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const namesIn = (text: string | undefined): string[] =>
  (JSON.parse(text ?? '{"tools":[]}') as { tools: { name: string }[] }).tools.map(({ name }) => name);

const FOUND = [...many('a', 100), ...many('b', 100), ...many('c', 100)];
const LIMITS = { maxDocumentKib: 64, maxShards: 4 };

describe('documents that do not fit into one ConfigMap', () => {
  test('are divided: each tool is in one part, and each part is a complete document', () => {
    const { documents, tools, cuts } = made(FOUND, LIMITS);
    const shards = byShard(documents);
    expect([...shards.keys()]).toEqual([1, 2, 3].slice(0, shards.size));
    expect(shards.size).toBeGreaterThan(1);
    for (const inOne of shards.values()) expect(bytesIn(inOne)).toBeLessThanOrEqual(64 * 1024);
    const parts = [...shards.values()].flatMap((inOne) => namesIn(inOne['toolset.json']));
    expect(parts.sort()).toEqual(FOUND.map(({ tool }) => tool).sort());
    expect(tools).toHaveLength(300);
    expect(cuts.filter(({ limit }) => limit === 'document_bytes')).toEqual([]);
    expect(OUTPUTS.faultsOf(documents)).toEqual([]);
  });

  test('are read back whole, and joined they equal one document', () => {
    const { documents, tools } = made(FOUND, LIMITS);
    expect(OUTPUTS.read(documents).tools).toEqual(tools);
    const whole = OUTPUTS.whole(documents);
    expect(whole['toolset.json']).toBe(made(FOUND, { maxDocumentKib: 900 }).documents['toolset.json']);
    expect(whole['custom_toolset.yaml']).toBe(documents['custom_toolset.yaml']);
    expect(Object.keys(whole).every((name) => shardOf(name).shard === 1)).toBe(true);
  });

  test('beyond the last ConfigMap, the namespaces that use the most lose tools, and one line reports each', () => {
    const found = [...FOUND, ...many('d', 500), ...many('e', 3)];
    const { documents, tools, cuts, limitNotes } = made(found, { maxDocumentKib: 64, maxShards: 2 });
    expect([...byShard(documents).keys()]).toEqual([1, 2]);
    const lost = cuts.filter(({ limit }) => limit === 'document_bytes');
    expect(tools.length + lost.length).toBe(found.length);
    expect(lost.some(({ key }) => key.startsWith('d/'))).toBe(true);
    expect(lost.some(({ key }) => key.startsWith('e/'))).toBe(false);
    expect(
      limitNotes.find(({ where, fix }) => where === 'namespace d' && fix?.includes('MAX_SHARDS')),
    ).toMatchObject({
      what: expect.stringContaining('share of 2 ConfigMaps of 64 KiB'),
      fix: expect.stringContaining('MAX_SHARDS'),
    });
  });

  test('that cannot be divided lose what exceeds half of the first ConfigMap, and one line reports each', () => {
    const { documents, tools, cuts, limitNotes } = made(FOUND, { ...LIMITS, maxAgentTools: 10_000 });
    expect(tools).toHaveLength(300);
    const left = cuts.filter(({ limit }) => limit === 'agent_bytes');
    expect(left.length).toBeGreaterThan(0);
    expect(left).toContainEqual(
      expect.objectContaining({ leftOutOf: 'custom_toolset.yaml', keptIn: 'toolset.json' }),
    );
    expect(Buffer.byteLength(documents['custom_toolset.yaml'] ?? '')).toBeLessThanOrEqual(32 * 1024);
    const [first] = left;
    expect(documents['custom_toolset.yaml']).not.toContain(`${first?.key.replace('/', '.')}:`);
    expect(limitNotes.some(({ what }) => what.includes('left out of custom_toolset.yaml'))).toBe(true);
  });

  test.each([1, 4])(
    'that cannot be divided have no more bytes than an agent has, with %i ConfigMaps',
    (maxShards) => {
      const limits = { maxDocumentKib: 900, maxShards, maxAgentTools: 10_000, maxAgentBytes: 9 * 1024 };
      const { documents, tools, cuts, limitNotes } = made(FOUND, limits);
      expect(tools).toHaveLength(300);
      expect(bytesIn({ a: documents['custom_toolset.yaml'] ?? '' })).toBeLessThanOrEqual(9 * 1024);
      const left = cuts.filter(({ limit }) => limit === 'agent_bytes');
      expect(left.length).toBeGreaterThan(200);
      expect(left.length).toBeLessThan(300);
      expect(limitNotes.map(({ what }) => what).join('\n')).toMatch(
        /share of the 9 KiB that the agent's ConfigMap has for custom_toolset\.yaml, beside what people wrote there/,
      );
    },
  );

  test('are named together if several cannot be divided', () => {
    const name = 'other.txt';
    const other: Output = {
      id: 'other',
      documents: [{ name, mediaType: 'text/plain', check: () => asFaults({}) }],
      render: (tools) => ({ artifacts: [{ name, mediaType: 'text/plain', content: `${tools.length}\n` }] }),
      sizeOf: () => 1,
    };
    const outputs = outputsOf<OutputSettings>([...OUTPUTS.all, other]);
    const { limitNotes } = made(FOUND, { ...LIMITS, maxAgentTools: 10_000 }, outputs);
    expect(limitNotes.map(({ what }) => what).join('\n')).toMatch(
      /KiB of custom_toolset\.yaml and other\.txt: .*left out of .*, which are not divided/s,
    );
  });

  test('lose tools as before if only one ConfigMap is allowed', () => {
    const { documents, cuts } = made(FOUND, { maxDocumentKib: 64, maxShards: 1 });
    expect(Object.keys(documents).sort()).toEqual(['custom_toolset.yaml', 'toolset.json']);
    expect(bytesIn(documents)).toBeLessThanOrEqual(64 * 1024);
    expect(cuts.some(({ limit }) => limit === 'document_bytes')).toBe(true);
  });
});

test('documents that fit into one ConfigMap are the same as without others', () => {
  expect(made(FOUND, { maxDocumentKib: 900, maxShards: 4 })).toEqual(
    made(FOUND, { maxDocumentKib: 900, maxShards: 1 }),
  );
});
