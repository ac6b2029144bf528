import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { toolKinds } from '../../src/controller/pass.ts';
import { heldKeys, publishedNames } from '../../src/detection/names.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import type { Documents } from '../../src/model/documents.ts';
import { generate } from '../../src/outputs/generate.ts';
import { ownTools } from '../../src/outputs/holmesgpt/checks/count.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { LIMITS, type Limits } from '../../src/planning/budget.ts';
import { discoveredTool } from '../../src/planning/tools.ts';
import { discovered, rules } from '../fixtures/unit/detection.ts';
import { offered, service } from '../fixtures/unit/service.ts';

const kinds = toolKinds(rules);
const custom = discovered(offered('template'));

/** Annotated Services of a namespace; the first is the oldest. */
function many(namespace: string, count: number, says: Partial<DiscoveredService> = {}): DiscoveredService[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `s${String(index).padStart(4, '0')}`;
    const created = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString().replace('.000', '');
    const of = { ...custom.service, namespace, name, created };
    const host = `${name}.${namespace}.svc.cluster.local`;
    return {
      ...custom,
      service: of,
      tool: `${name}.${namespace}`,
      endpoint: { ...custom.endpoint, host },
      ...says,
    };
  });
}

function made(
  found: readonly DiscoveredService[],
  limits: Partial<Limits> = {},
  overrides: unknown = {},
  before?: Documents,
) {
  const generated = generate(found, {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: overridesSchema.parse(overrides),
    kinds,
    ...limits,
    inUseSince: new Map(
      [...heldKeys(publishedNames(before === undefined ? [] : OUTPUTS.read(before).tools))].map((key) => [
        key,
        { at: 0 },
      ]),
    ),
  });
  const { tools } = JSON.parse(generated.documents['toolset.json'] ?? '') as {
    tools: { name: string; namespace?: string; description: string }[];
  };
  return { ...generated, names: tools.map(({ name }) => name), tools };
}

const size = (documents: Documents): number =>
  Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const shop = discovered(
  service('loki2', { namespace: 'shop', labels: { app: 'loki' }, ports: ['http:3100'] }),
);

describe('tools of one namespace', () => {
  test('beyond the limit are left out: the oldest stay, other namespaces lose nothing, and one line reports it', () => {
    const { names, notes, cuts } = made([...many('evil', 5), shop], { maxToolsPerNamespace: 3 });
    expect(names).toEqual(['loki2.shop', 's0000.evil', 's0001.evil', 's0002.evil']);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatchObject({
      where: 'namespace evil',
      what: expect.stringMatching(
        /^has 5 tools, and the limit is 3: 2 backends were found, but are not published \(evil\/s0003, evil\/s0004\)/,
      ),
      fix: expect.stringContaining('MAX_TOOLS_PER_NAMESPACE'),
    });
    expect(cuts[0]?.why).toMatch(
      /^namespace evil has 5 tools, and the limit is 3; raise MAX_TOOLS_PER_NAMESPACE/,
    );
    expect(cuts.map(({ limit, key }) => `${limit} ${key}`)).toEqual([
      'namespace_tools evil/s0003',
      'namespace_tools evil/s0004',
    ]);
  });

  test('that are published take precedence over older ones, and those in overrides.yaml are never cut', () => {
    const all = many('evil', 5);
    const before = made(all.slice(3), {}).documents;
    const { names } = made(
      all,
      { maxToolsPerNamespace: 2 },
      { tools: { 'evil/s0002': { description: 'x' } } },
      before,
    );
    expect(names).toEqual(['s0002.evil', 's0003.evil', 's0004.evil']);
  });
});

describe('the size of the documents', () => {
  const emoji = '\u{1f600}'.repeat(49);
  const path = `/${'a'.repeat(127)}`;
  const flood = (namespace: string, count: number): DiscoveredService[] =>
    many(namespace, count, { description: emoji, tenantDescription: true }).map((each) => ({
      ...each,
      endpoint: { ...each.endpoint, path },
    }));

  test('is limited by removing tools of the namespace that uses the most, and only of it', () => {
    const found = [...flood('evil', 1500), ...many('team', 20), shop];
    const { names, documents, cuts, notes } = made(found, {
      maxToolsPerNamespace: 10_000,
      maxDocumentKib: 200,
    });
    expect(size(documents)).toBeLessThanOrEqual(200 * 1024);
    expect(size(documents)).toBeGreaterThan(150 * 1024);
    expect(names.filter((name) => !name.endsWith('.evil'))).toEqual([
      'loki2.shop',
      ...many('team', 20).map(({ tool }) => tool),
    ]);
    expect(
      cuts.filter(({ limit }) => limit === 'document_bytes').every(({ key }) => key.startsWith('evil/')),
    ).toBe(true);
    expect(notes.filter(({ what }) => what.includes('200 KiB')).map(({ where }) => where)).toEqual([
      'namespace evil',
    ]);
  });

  test('with the default limits keeps other namespaces, and selects the same tools the next time', () => {
    const found = [...flood('evil', 260), shop];
    const first = made(found);
    expect(size(first.documents)).toBeLessThanOrEqual(900 * 1024);
    expect(first.names).toContain('loki2.shop');
    expect(made(found, {}, {}, first.documents).documents).toEqual(first.documents);
    const small = made(found, { maxDocumentKib: 64 });
    expect(made(found, { maxDocumentKib: 64 }, {}, small.documents).documents).toEqual(small.documents);
  });

  test('is estimated to within a quarter', () => {
    for (const found of [many('a', 200), flood('a', 200)]) {
      const limits = {
        maxToolsPerNamespace: 1000,
        maxDescriptionBytes: 1e9,
        maxDescriptionBytesPerNamespace: 1e9,
      };
      const guess = OUTPUTS.all
        .flatMap(({ sizeOf }) => found.map((each) => sizeOf(discoveredTool(each))))
        .reduce((sum, each) => sum + each, 0);
      const real = size(made(found, limits).documents);
      expect(guess / real).toBeGreaterThan(0.8);
      expect(guess / real).toBeLessThan(1.25);
    }
  });
});

test("beyond their budget, owners' descriptions are replaced with the detector's", () => {
  const text = { description: 'x'.repeat(200), tenantDescription: true };
  const { tools, notes } = made([...many('evil', 5, text), ...many('team', 1, text)], {
    maxDescriptionBytesPerNamespace: 500,
  });
  const own = (namespace: string): number =>
    tools.filter((tool) => tool.namespace === namespace && tool.description.includes('xxx')).length;
  expect([own('evil'), own('team'), tools.length]).toEqual([2, 1, 6]);
  expect(notes.map(({ where }) => where)).toEqual(['namespace evil']);
  const all = made([...many('evil', 5, text), ...many('team', 1, text)], { maxDescriptionBytes: 500 });
  expect(all.tools.filter(({ description }) => description.includes('xxx')).map(({ name }) => name)).toEqual([
    's0000.evil',
    's0000.team',
  ]);
});

describe("the agent's tools", () => {
  const mcp = discovered(
    service('m', { labels: { 'app.kubernetes.io/component': 'mcp-server' }, ports: ['mcp:8000'] }),
  );
  const server = (namespace: string, name: string, count: number): DiscoveredService => ({
    ...mcp,
    service: { ...mcp.service, namespace, name },
    tool: `${name}.${namespace}`,
    verdict: {
      ...mcp.verdict,
      tools: Array.from({ length: count }, (_, at) => ({
        name: `t${at}`,
        readOnly: true,
        digest: String(at),
      })),
    },
  });
  const servers = (documents: Documents): string[] =>
    Object.keys(
      (parse(documents['custom_toolset.yaml'] ?? '') as { mcp_servers?: object }).mcp_servers ?? {},
    ).sort();

  test('a server whose list is too long to be read is left out', () => {
    const long = server('evil', 'a', 3);
    const found = [{ ...long, verdict: { ...long.verdict, toolsTruncated: true } }, server('team', 'c', 20)];
    expect(servers(made(found).documents)).toEqual(['team/c']);
  });

  test('are at most 128: servers of the namespace with the most are removed first, and those in overrides.yaml stay', () => {
    const found = [server('evil', 'a', 60), server('evil', 'b', 60), server('team', 'c', 20)];
    const { documents, names, cuts, notes } = made(found);
    expect(servers(documents)).toEqual(['evil/a', 'team/c']);
    expect(names).toContain('b.evil');
    expect(cuts.map(({ limit, key }) => `${limit} ${key}`)).toEqual(['agent_tools evil/b']);
    expect(notes.map(({ what }) => what).join()).toContain('share of the 128 that MAX_AGENT_TOOLS allows');
    const pinned = made(found, {}, { tools: { 'evil/b': { description: 'x' } } });
    expect(servers(pinned.documents)).toEqual(['evil/b', 'team/c']);
  });

  test('that cannot be left out are reported if there are too many', () => {
    const { documents, notes } = made([server('evil', 'a', 1)], { maxAgentTools: 5 });
    expect(servers(documents)).toEqual([]);
    expect(notes.map(({ where }) => where)).toContain('custom_toolset.yaml');
  });

  test("are counted by HolmesGPT's own table", () => {
    const defaults = ownTools({});
    expect(ownTools({ toolsets: { internet: { enabled: false } } })).toBe(defaults - 1);
    expect(ownTools({ toolsets: { 'prometheus/metrics': { enabled: true } } })).toBe(defaults + 8);
    const two = { enabled: true, config: { instances: [{}, {}] } };
    expect(ownTools({ toolsets: { 'prometheus/metrics': two } })).toBe(defaults + 9);
    expect(ownTools({ toolsets: { mine: { type: 'http' }, other: { tools: [{}, {}] } } })).toBe(defaults + 3);
  });
});

test('the default limits equal the defaults of the settings', () => {
  expect(LIMITS).toMatchObject({ maxToolsPerNamespace: 100, maxAgentTools: 128, maxDocumentKib: 900 });
});
