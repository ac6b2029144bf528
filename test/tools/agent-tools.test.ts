import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { toolKinds } from '../../src/controller/pass.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import { serviceKey } from '../../src/model/service.ts';
import { generate } from '../../src/outputs/generate.ts';
import { ownTools } from '../../src/outputs/holmesgpt/checks/count.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { discovered, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';
import { toolNames } from '../fixtures/unit/toolset.ts';

const kinds = toolKinds(rules);

/** Backends that switch on toolsets of HolmesGPT, and how many tools each has. */
const TOOLSETS = { prometheus: 8, loki: 1, tempo: 8, victorialogs: 5, elasticsearch: 8 } as const;
type Kind = keyof typeof TOOLSETS;

const port: Record<Kind, string> = {
  prometheus: 'http:9090',
  loki: 'http:3100',
  tempo: 'http:3200',
  victorialogs: 'http:9428',
  elasticsearch: 'http:9200',
};
let made = 0;
const created = (): string => new Date(Date.UTC(2026, 0, 1) + made++ * 1000).toISOString();
const backend = (namespace: string, kind: Kind, name: string = kind): DiscoveredService => {
  const found = discovered(service(name, { namespace, labels: { app: kind }, ports: [port[kind]] }));
  return { ...found, service: { ...found.service, created: created() } };
};
const mcp = discovered(service('m', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const server = (namespace: string, name: string, count: number): DiscoveredService => ({
  ...mcp,
  service: { ...mcp.service, namespace, name, created: created() },
  endpoint: { ...mcp.endpoint, host: `${name}.${namespace}.svc.cluster.local` },
  tool: `${name}.${namespace}`,
  verdict: {
    ...mcp.verdict,
    tools: Array.from({ length: count }, (_, at) => ({ name: `t${at}`, readOnly: true, digest: '' })),
  },
});

interface Document {
  readonly toolsets: Readonly<Record<string, object>>;
  readonly mcp_servers?: Readonly<Record<string, object>>;
}

function agent(found: readonly DiscoveredService[], overrides: unknown = {}, maxAgentTools = 128) {
  const { documents, cuts, notes } = generate(found, {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: overridesSchema.parse(overrides),
    kinds,
    maxAgentTools,
  });
  const text = documents['custom_toolset.yaml'] ?? '';
  return { text, document: parse(text) as Document, cuts, notes };
}

/** All tools that HolmesGPT offers with a document, by what was found. */
function offered({ document }: { readonly document: Document }, found: readonly DiscoveredService[]): number {
  return Object.keys(document.mcp_servers ?? {}).reduce(
    (sum, key) => {
      const [namespace, name] = key.split('/');
      const one = found.find(({ service: at }) => at.namespace === namespace && at.name === name);
      return sum + (one?.verdict.tools?.length ?? 1);
    },
    ownTools(document as never),
  );
}

const FIXED = ownTools(agent([]).document as never);
const ROOM = 128 - FIXED;

const hasBackend = (text: string, { service: { namespace, name } }: DiscoveredService): boolean =>
  text.includes(`${name}.${namespace}.svc`);

describe('the tools that the agent can offer are shared by namespaces', () => {
  const flood = [
    ...Object.keys(TOOLSETS).map((kind) => backend('evil', kind as Kind)),
    server('evil', 'm', Math.floor(ROOM / 2)),
  ];

  test('a toolset of HolmesGPT that only one namespace enables counts for that namespace', () => {
    const team = server('team', 'orders', Math.floor(ROOM / 2));
    const { text, cuts, notes } = agent([...flood, team]);
    expect(hasBackend(text, team)).toBe(true);
    expect(cuts.map(({ key }) => key.split('/')[0])).toContain('evil');
    expect(cuts.map(({ key }) => key.split('/')[0])).not.toContain('team');
    const line = notes.find(({ what }) => what.includes('share of the 128 that MAX_AGENT_TOOLS allows'));
    expect(line?.where).toBe('namespace evil');
    expect(line?.what).toMatch(/brings? HolmesGPT \d+ tools \(MCP servers \d+, .*prometheus\/metrics 8/);
    expect(line?.what).toContain(`${FIXED} of them are HolmesGPT's own or hand-written`);
    expect(line?.fix).toContain('MAX_AGENT_TOOLS');
  });

  test('a server whose list of tools was not read whole is named with the cause, and no number is invented', () => {
    const loop = server('evil', 'loop', 1);
    const verdict = {
      ...loop.verdict,
      toolsTruncated: true,
      toolsGap: 'page 2 of its list names itself as the next one',
    };
    const notes = (...found: DiscoveredService[]) =>
      agent(found)
        .notes.filter(({ fix }) => fix?.includes('MAX_AGENT_TOOLS') === true || fix?.includes('fewer tools'))
        .map(({ what, fix }) => [what, fix]);
    const unread = [
      'has 1 MCP server whose list of tools was not read whole (evil/loop: page 2 of its list names itself as the next one), so it counts as more tools than any limit allows: 1 backend is left out of custom_toolset.yaml, but not of toolset.json (evil/loop); those that came into use first stay',
      'have the server list fewer tools, or change its tool in overrides.yaml, for example its description: then it stays, and counts with the tools that were read',
    ];
    expect(notes({ ...loop, verdict })).toEqual([unread]);
    expect(notes({ ...loop, verdict }, server('evil', 'm', 3))).toEqual([unread]);
    expect(notes({ ...loop, verdict }, server('evil', 'm', 300))).toEqual([
      [
        expect.stringMatching(
          /^has backends that bring HolmesGPT 300 tools \(MCP servers 300\), which is more/,
        ),
        expect.stringMatching(/^raise MAX_AGENT_TOOLS/),
      ],
      unread,
    ]);
  });

  test('the tools of a toolset are divided among the namespaces whose backends are in it', () => {
    const found = [backend('a', 'prometheus'), backend('b', 'prometheus'), server('c', 'm', ROOM)];
    const { cuts } = agent(found);
    expect(cuts.map(({ key }) => key)).toEqual(['c/m']);
    const shared = agent([...found.slice(0, 2), server('a', 'm', ROOM)]);
    expect(shared.notes.map(({ what }) => what).join()).toContain(
      'prometheus/metrics 9 shared with 1 other namespace',
    );
  });

  test('a toolset that users enabled counts for no namespace', () => {
    const people = {
      holmesgpt: {
        toolsets: { 'prometheus/metrics': { config: { prometheus_url: 'http://prometheus.example.com' } } },
      },
    };
    const a = backend('a', 'prometheus');
    const { text, cuts } = agent([a, server('b', 'm', ROOM)], people);
    expect(cuts.map(({ key }) => key)).toEqual(['b/m']);
    expect(hasBackend(text, a)).toBe(true);
  });

  const inNamespace = (namespace: string) =>
    fc
      .record({
        kinds: fc.subarray(Object.keys(TOOLSETS) as Kind[]),
        servers: fc.array(fc.integer({ min: 1, max: Math.floor(ROOM / 3) }), { maxLength: 3 }),
        twice: fc.boolean(),
      })
      .map(({ kinds: some, servers, twice }) => [
        ...some.map((kind) => backend(namespace, kind)),
        ...(twice ? some.map((kind) => backend(namespace, kind, `${kind}-two`)) : []),
        ...servers.map((count, index) => server(namespace, `m${index}`, count)),
      ]);

  test('a namespace within its fair share keeps all its tools, whatever others add', () => {
    fc.assert(
      fc.property(inNamespace('a'), inNamespace('b'), inNamespace('evil'), (a, b, evil) => {
        const found = [...a, ...b, ...evil];
        const result = agent(found);
        expect(offered(result, found)).toBeLessThanOrEqual(128);
        const groups = [a, b, evil].filter((each) => each.length > 0);
        for (const each of groups) {
          const alone = agent(each, {}, 10_000);
          if (offered(alone, each) - FIXED > ROOM / groups.length) continue;
          for (const one of each.filter((of) => hasBackend(alone.text, of)))
            expect([one.tool, hasBackend(result.text, one)]).toEqual([one.tool, true]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test('a server in the agent file keeps its place when an older one appears in its namespace', () => {
  const older = server('shop', 'older', ROOM - 5);
  const newer = server('shop', 'newer', ROOM - 5);
  const first = generate([newer], {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: overridesSchema.parse({}),
    kinds,
  });
  let documents = first.documents;
  // The second pass finds both in toolset.json: the one that was cut is there, too.
  for (const _ of ['first pass', 'second pass', 'third pass']) {
    const inUseSince = new Map(
      [older, newer]
        .filter(({ tool }) => toolNames(documents).includes(tool))
        .map((each) => [serviceKey(each.service), { at: 0 }]),
    );
    const next = generate([older, newer], {
      credentials: {},
      holmesgptVersion: '0.32',
      overrides: overridesSchema.parse({}),
      kinds,
      inUseSince,
      publishedDocuments: documents,
    });
    documents = next.documents;
    expect(
      Object.keys((parse(documents['custom_toolset.yaml'] ?? '') as Document).mcp_servers ?? {}),
    ).toEqual(['shop/newer']);
    expect(next.cuts).toMatchObject([{ limit: 'agent_tools', key: 'shop/older' }]);
  }
});
