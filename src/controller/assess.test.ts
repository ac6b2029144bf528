import { describe, expect, test } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, service } from '../../test/fixtures/unit/service.ts';
import { observed, read, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Published } from '../model/published.ts';
import type { Rollback } from '../model/revision.ts';
import { generate } from '../outputs/generate.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { contentHash } from '../planning/content-hash.ts';
import { plan, SERVICES_IN_USE } from '../planning/plan.ts';
import { inUseNote, type ServiceInUse } from '../planning/services-in-use.ts';
import {
  type Assessment,
  assess,
  type Findings,
  type GeneratedSnapshot,
  type ReconcileState,
  situationOf,
} from './assess.ts';
import { toolKinds } from './pass.ts';

const prometheus = (probed?: 'unhealthy' | 'auth'): DiscoveredService =>
  discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] }), probed);
const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
const withOverrides = (text: string): Published => ({
  data: { 'overrides.yaml': text },
  labels: {},
  annotations: {},
});
const NEWER = { credentials: {}, holmesgptVersion: '0.32', kinds: new Map() } as const;
const OLDER = { ...NEWER, holmesgptVersion: '0.20' } as const;

const assessed = (
  found: readonly DiscoveredService[],
  overrides: string,
  generation: typeof NEWER | typeof OLDER,
  lastGenerated?: GeneratedSnapshot,
): Assessment =>
  assess(
    { found, contradicted: [], generation, outputs: OUTPUTS, removal: undefined, now: 0 },
    situationOf(observed(withOverrides(overrides)), [], {}),
    { lastGenerated },
  );

const NO_LOKI = 'tools: { loki.default: { enabled: false } }';
const first = assessed([prometheus(), loki], '', NEWER).generated;

test('unchanged inputs are not generated again', () => {
  expect(assessed([prometheus(), loki], '', NEWER, first).generated).toBe(first);
});

test.each([
  ['a backend fell ill', [prometheus('unhealthy'), loki], '', NEWER],
  ['a backend wants credentials', [prometheus('auth'), loki], '', NEWER],
  ['a backend is gone', [loki], '', NEWER],
  ['a person wrote overrides', [prometheus(), loki], NO_LOKI, NEWER],
  ['a person wrote overrides that cannot be read', [prometheus(), loki], 'tools: [', NEWER],
  ['the agent is an older one', [prometheus(), loki], '', OLDER],
])('the last result is not reused when %s', (_, found, overrides, generation) => {
  const again = assessed(found, overrides, generation, first);
  expect(again.generated).not.toBe(first);
  expect(again).toEqual(assessed(found, overrides, generation));
});

test('while a rollback holds, notes say that they are about what is published after it', () => {
  const orders = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const generation = { ...NEWER, mcpPolicy: 'approve' } as const;
  const findings = { contradicted: [], generation, outputs: OUTPUTS, removal: undefined, now: 0 };
  const assessedWith = (live: Published) =>
    assess({ ...findings, found: [loki, orders] }, situationOf(observed(live), [], {}), {});
  const before = assessedWith(withOverrides(''));
  const waits = expect.stringMatching(/^waits for approval and is not published until then/);
  expect(before.notes).toContainEqual(expect.objectContaining({ what: waits }));

  const rollback = { to: 1, from: contentHash(before.generated.documents) };
  const { documents, labels, annotations } = plan({ ...toolset(first.documents), rollback }, undefined, '1');
  const during = assessedWith({ data: documents, labels, annotations });
  expect(during.decision.rollback).toBe('holds');
  const later = expect.stringMatching(/^once the rollback ends, this applies: waits for approval/);
  expect(during.notes).toContainEqual(expect.objectContaining({ what: later }));
  expect(during.notes.map(({ where }) => where)).toEqual(before.notes.map(({ where }) => where));
});

const GENERATION = { credentials: {}, holmesgptVersion: '0.32', kinds: toolKinds(rules) } as const;
const lokis = (...names: readonly string[]): DiscoveredService[] =>
  names.map((name) => discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] })));
const documentsOf = (
  found: readonly DiscoveredService[],
  more: Partial<Findings['generation']> = {},
): Documents => generate(found, { ...GENERATION, ...more, overrides: NO_OVERRIDES }).documents;
/** What is published, with a rollback or overrides. */
const publishedAs = (
  documents: Documents,
  { rollback, overrides }: { readonly rollback?: Rollback; readonly overrides?: string } = {},
): Published => {
  const { documents: data, labels, annotations } = plan({ ...toolset(documents), rollback }, undefined, '1');
  return {
    data: overrides === undefined ? data : { ...data, 'overrides.yaml': overrides },
    labels,
    annotations,
  };
};
const findings = (found: readonly DiscoveredService[], more: Partial<Findings> = {}): Findings => ({
  ...{ found, contradicted: [], generation: GENERATION, outputs: OUTPUTS, removal: undefined, now: 0 },
  ...more,
});
const revision = (number: number, documents: Documents, rollback?: Rollback, overrides?: string) =>
  read({ name: `r${number}`, number, created: '', documents, overrides, rollback });
/** What is decided where these documents are published. */
const decided = (
  live: Published | undefined,
  found: readonly DiscoveredService[],
  more: Partial<Findings> = {},
  state: ReconcileState = {},
): Assessment => assess(findings(found, more), situationOf(observed(live), [], state), state);
const namesOf = ({ decision }: Assessment): string[] => decision.intent.tools.map(({ name }) => name);

test('the overrides of a deleted ConfigMap are those that this process saw last, or those of the newest revision', () => {
  const revisions = [revision(1, {}, undefined, 'old'), revision(2, {}, undefined, 'new')];
  expect(situationOf(undefined, revisions, {}).overrides).toBe('new');
  expect(situationOf(undefined, revisions, { lastSeenOverrides: { overrides: undefined } }).overrides).toBe(
    undefined,
  );
});

test('removed tools are told apart by why they are removed', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  const sick = (name: string, fault?: 'not_ready'): DiscoveredService => {
    const found = discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }), 'unhealthy');
    return fault === undefined ? found : { ...found, verdict: { ...found.verdict, fault } };
  };
  const { decision } = decided(
    publishedAs(documentsOf(lokis(...names))),
    [sick('a', 'not_ready'), sick('b'), ...lokis('e', 'f', 'g', 'h', 'i')],
    { contradicted: ['c.monitoring'], removal: { hold: 1_000, once: false } },
  );
  expect(decision.released.map(({ tool, cause }) => [tool, cause])).toEqual([
    ['a.monitoring', 'not ready'],
    ['b.monitoring', 'unhealthy'],
    ['c.monitoring', 'contradicted'],
    ['d.monitoring', 'gone'],
  ]);
});

describe('where there is room for some', () => {
  const generation = { ...GENERATION, maxToolsPerNamespace: 1 };
  const both = lokis('a', 'z');

  test('the published ones stay, also if all was generated before', () => {
    const before = decided(undefined, both, { generation });
    expect(namesOf(before)).toEqual(['a.monitoring']);
    const live = publishedAs(documentsOf(lokis('z')));
    for (const lastGenerated of [undefined, before.generated])
      expect(namesOf(decided(live, both, { generation }, { lastGenerated }))).toEqual(['z.monitoring']);
    const again = decided(live, both, { generation });
    const { generated } = decided(live, both, { generation }, { lastGenerated: again.generated });
    expect(generated).toBe(again.generated);
  });

  test('the published one stays where an agent takes one only', () => {
    const older = { ...GENERATION, holmesgptVersion: '0.20' } as const;
    const live = publishedAs(documentsOf(lokis('z'), older));
    const { generated: lastGenerated } = decided(undefined, both, { generation: older });
    const { generated } = decided(live, both, { generation: older }, { lastGenerated });
    expect(generated.documents).not.toEqual(lastGenerated.documents);
    expect(generated.documents).toEqual(decided(live, both, { generation: older }).generated.documents);
  });

  test('those that came into use first stay', () => {
    const since = (at: number) => ({
      all: new Set<string>(),
      better: new Set<string>(),
      hasWorked: true,
      since: { at },
    });
    const companions = new Map([
      [keyFor('monitoring/a'), since(2)],
      [keyFor('monitoring/z'), since(1)],
    ]);
    const use = { inUse: new Set(companions.keys()), companions };
    expect(namesOf(decided(undefined, both, { generation, use }))).toEqual(['z.monitoring']);
    expect(namesOf(decided(publishedAs(documentsOf(lokis('a'))), both, { generation, use }))).toEqual([
      'z.monitoring',
    ]);
  });

  test('those stay that came into use first according to what is published, as for a command beside serve', () => {
    const live = publishedAs(documentsOf(both));
    const since = (name: string, seconds: number): ServiceInUse => ({
      service: { cluster: '', namespace: 'monitoring', name },
      tool: `${name}.monitoring`,
      others: [],
      since: seconds,
    });
    const note = inUseNote([since('z', 1_000), since('a', 2_000)], []);
    const annotations = { ...live.annotations, [SERVICES_IN_USE]: note.text };
    expect(namesOf(decided({ ...live, annotations }, both, { generation }))).toEqual(['z.monitoring']);
  });
});

describe('while tools are held', () => {
  const removal = { hold: 1_000, once: false };
  const names = ['a', 'b', 'c'];

  test('notes are about what is published', () => {
    const credentials = { 'monitoring/a': { apiKey: 'KEY' } };
    const generation = { ...GENERATION, credentials };
    const live = publishedAs(documentsOf(lokis(...names), { credentials }));
    const held = decided(live, [], { generation, removal });
    expect([namesOf(held), held.notes]).toEqual([names.map((name) => `${name}.monitoring`), []]);
    expect(decided(live, [], { generation }).notes).not.toEqual([]);
  });

  test('all documents stay if one of these tools cannot be made again', () => {
    const documents = documentsOf(lokis(...names));
    const text = documents['toolset.json']?.replace(/"http:[^"]*a\.monitoring[^"]*"/, '"nowhere"') ?? '';
    const live = publishedAs({ ...documents, 'toolset.json': text });
    const { decision } = decided(live, lokis('new'), { removal });
    expect(decision.intent.documents['toolset.json']).toBe(text);
  });

  test('they are as this process knows them, where that is more than what is published', () => {
    const [a, ...others] = lokis(...names).map((each) => ({
      ...each,
      verdict: { ...each.verdict, authRequired: true },
    }));
    const all = a === undefined ? [] : [a, ...others];
    const documents = documentsOf(all);
    const known = new Map(all.map((each) => [each.tool, each]));
    const { decision } = decided(publishedAs(documents), [], { removal }, { known });
    expect(decision.intent.documents).toEqual(documents);
    // Others are as they are published.
    const [first] = known;
    const some = decided(publishedAs(documents), [], { removal }, { known: new Map(first && [first]) });
    expect(namesOf(some)).toHaveLength(3);
  });
});

test('a published name stays with its Service, whoever asks for it', () => {
  const asking = (name: string) =>
    discovered(offered(name, { name: 'logs', type: 'loki' }, { ports: ['http:3100'] }));
  const live = publishedAs(documentsOf([asking('b')]));
  const [a, b] = [asking('a'), { ...asking('b'), tool: 'b.monitoring' }];
  const tools = decided(live, [a, b]).decision.intent.tools;
  expect(tools.find(({ name }) => name === 'logs')?.metadata.service).toBe('b');
  // It stays also if somebody empties the documents.
  const emptied = { ...live, data: { ...live.data, 'toolset.json': '{"tools":[]}' } };
  const own = toolset(documentsOf([asking('b')]));
  const again = assess(findings([a, b]), situationOf(observed(emptied), [], { own }), { own });
  expect(again.naming.held.get('logs')?.members).toEqual(['b']);
});

describe('a rollback', () => {
  const orders = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const grafana = discovered(service('grafana', { labels: { app: 'grafana' }, ports: ['http:3000'] }));
  const credentials = { grafana: { namespaces: ['monitoring'], apiKey: 'KEY' } };
  const now = documentsOf(lokis('a'));
  /** Decides again and again, after a rollback from one toolset to another one. */
  const rolledBack = (to: Documents, from: Documents, isRecorded = true) => {
    const rollback: Rollback = { to: 1, from: contentHash(from), inputs: contentHash(now) };
    const before = isRecorded ? [revision(1, to), revision(2, from)] : [revision(1, to)];
    const revisions = [...before, revision(3, to, rollback)];
    return (overrides?: string, more: Partial<Findings> = {}) => {
      const live = observed(publishedAs(to, { rollback, ...(overrides === undefined ? {} : { overrides }) }));
      const { decision } = assess(findings(lokis('a'), more), situationOf(live, revisions, {}), {});
      return decision.rollback === 'holds' ? 'holds' : decision.revoked;
    };
  };

  test('ends when people switch off what it has, and not because of what they wrote before', () => {
    const decide = rolledBack(documentsOf(lokis('a', 'b')), now);
    const off = 'tools: { monitoring/b: { enabled: false } }';
    const revoked = 'Service monitoring/b is switched off: overrides.yaml switches it off';
    const excluded = ({ name }: { readonly name: string }) => (name === 'b.monitoring' ? 'off' : undefined);
    for (let time = 0; time < 2; time++) {
      expect(decide()).toBe('holds');
      expect(decide()).toBe('holds');
      expect(decide(off)).toBe(revoked);
      expect(decide(off)).toBe(revoked);
      expect(decide(undefined, { excluded })).toBe('b.monitoring is excluded: the settings exclude it: off');
    }
  });

  test('ends when the settings no longer publish what it has', () => {
    const decide = rolledBack(documentsOf([...lokis('a'), orders]), now);
    const policy = (mcpPolicy: 'publish' | 'approve' | 'off', ...namespaces: readonly string[]) =>
      decide(undefined, { generation: { ...GENERATION, mcpPolicy, namespaces } });
    expect(policy('publish')).toBe('holds');
    expect(policy('off')).toMatch(/^Service monitoring\/orders is not approved: /);
    expect(policy('approve')).toBe('Service monitoring/orders is not approved: is not approved');
    expect(policy('approve', 'monitoring')).toBe('holds');
  });

  test('ends if nobody gives its credentials, which those that it sends itself do not', () => {
    const keyed = documentsOf([...lokis('a'), grafana], { credentials });
    expect(rolledBack(keyed, documentsOf([grafana], { credentials }))()).toBe('holds');
    expect(rolledBack(keyed, now)()).toMatch(/ is not approved: /);
    const unknown = rolledBack(keyed, documentsOf([grafana], { credentials }), false);
    expect(unknown()).toMatch(/ is not approved: /);
  });
});

describe('while overrides are invalid', () => {
  const orders = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const VALID = { lastValidOverrides: { overrides: 'tools: {}' } };
  const kept = (
    found: readonly DiscoveredService[],
    more: Partial<Findings> = {},
    state: ReconcileState = VALID,
  ) => decided(publishedAs(documentsOf(found), { overrides: 'tools: [' }), found, more, state);

  test('the last toolset stays, and there is nothing to say about it', () => {
    const { decision, notes } = kept(lokis('a', 'b'));
    expect([decision.intent.tools.length, decision.revoked, notes]).toEqual([2, undefined, []]);
  });

  test('what the settings no longer allow does not stay, which is told', () => {
    const excluded = ({ name }: { readonly name: string }) => (name === 'b.monitoring' ? 'off' : undefined);
    const { decision, notes } = kept(lokis('a', 'b'), { excluded });
    expect(decision.revoked).toBe('b.monitoring is excluded: the settings exclude it: off');
    expect(notes).toMatchObject([{ what: expect.stringContaining(`(${decision.revoked})`) }]);
  });

  test('a server of a trusted namespace stays', () => {
    const generation = { ...GENERATION, mcpPolicy: 'approve', namespaces: ['monitoring'] } as const;
    expect(kept([orders], { generation }).decision.revoked).toBeUndefined();
    expect(kept([orders], { generation: { ...generation, namespaces: [] } }).decision.revoked).toBeDefined();
  });

  test('it is told that nobody knows whether all of it is allowed, if there is a toolset', () => {
    expect(kept(lokis('a'), {}, {}).notes).toMatchObject([
      { what: expect.stringMatching(/^no earlier, valid/) },
    ]);
    expect(decided(withOverrides('tools: ['), lokis('a')).notes).toEqual([]);
  });
});
