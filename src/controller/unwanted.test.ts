/** What of an earlier revision people do not want published now. */
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { read, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Toolset } from '../model/documents.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { toolKinds } from './pass.ts';
import { acceptedText, lastValid, notAccepted, type RevisionRules, unwantedIn } from './unwanted.ts';

const GENERATION = {
  credentials: {},
  holmesgptVersion: '0.32',
  kinds: toolKinds(rules),
  mcpPolicy: 'approve',
} as const;
const orders = discovered(
  service('orders', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
);
const loki = (name: string): DiscoveredService =>
  discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }));
/** What these give, with these overrides, where everything is approved. */
const made = (
  found: readonly DiscoveredService[],
  overrides: object = {},
  more: Partial<GenerateOptions> = {},
): Toolset =>
  toolset(
    generate(found, {
      ...GENERATION,
      mcpPolicy: 'publish',
      ...more,
      overrides: overridesSchema.parse(overrides),
    }).documents,
  );
const revision = ({ documents }: Toolset, overrides?: string) =>
  read({ name: 'r', number: 1, created: '', documents, overrides, rollback: undefined });
const RULES: RevisionRules = {
  overrides: undefined,
  generation: GENERATION,
  areNamespacesKnown: true,
  standing: [],
  revisions: [],
};
/** What is unwanted, in short. */
const unwanted = (to: Toolset, more: Partial<RevisionRules> = {}, outputs = OUTPUTS): readonly string[] =>
  unwantedIn({ toolset: to, overrides: undefined }, { ...RULES, ...more }, outputs).map(
    ({ is, where, what }) => `${is}: ${where} ${what}`,
  );
const INVALID = 'tools: [';
const NOT_APPROVED = 'not approved: Service shop/orders is not approved';

describe('a server that needs an approval', () => {
  const to = made([orders, loki('a')]);

  test('is unwanted without one, unless it is published now and the settings are unknown', () => {
    expect(unwanted(to)).toContain(NOT_APPROVED);
    expect(unwanted(to, { standing: [to] })).toEqual([]);
    expect(unwanted(to, { standing: [to], areSettingsKnown: true })).toEqual([NOT_APPROVED]);
    expect(unwanted(to, { standing: [made([loki('a')])] })).toContain(NOT_APPROVED);
  });

  test('is unwanted while overrides are invalid, unless it is published now', () => {
    expect(unwanted(to, { overrides: INVALID, standing: [to] })).toEqual([]);
    expect(unwanted(to, { overrides: INVALID })).toContainEqual(
      `${NOT_APPROVED}, nor published now, and which namespaces serve trusts is unknown here`,
    );
    const generation = { ...GENERATION, mcpPolicy: 'off' } as const;
    expect(unwanted(to, { overrides: INVALID, generation })).toContainEqual(
      expect.stringContaining('MCP_POLICY is off'),
    );
  });

  test('is unwanted if nobody can tell', () => {
    expect(unwanted(to, {}, { ...OUTPUTS, readsBack: false })).toEqual([
      expect.stringContaining('their tools cannot be read back'),
    ]);
  });

  test('has other tools than people were shown, so the agent should ask before them', () => {
    const offering = (digest: string) => ({
      ...orders,
      verdict: { ...orders.verdict, tools: [{ name: 'get_order', readOnly: true, digest }] },
    });
    const approving = (digest: string) => ({
      tools: {
        'shop/orders': { approved: 'mcp', approvedTools: toolsShown(offering(digest).verdict) },
      },
    });
    const old = made([offering('a')], approving('a'));
    const now = { overrides: stringify(approving('a')), standing: [old] };
    const loosened = expect.stringContaining('overrides.yaml approves other tools of it since');
    expect(unwanted(old, { ...now, revisions: [revision(old, stringify(approving('a')))] })).toEqual([]);
    expect(unwanted(old, { ...now, revisions: [revision(old, stringify(approving('b')))] })).toEqual([
      loosened,
    ]);
    // Without a record, the difference is unknown.
    expect(unwanted(old, { ...now, revisions: [] })).toEqual([]);
    expect(unwanted(old, { ...now, revisions: [revision(old, INVALID)] })).toEqual([]);
  });
});

describe('what overrides switch off', () => {
  const to = made([loki('a'), loki('b')]);
  const OFF = 'tools: { monitoring/a: { enabled: false } }';

  test('is unwanted', () => {
    expect(unwanted(to, { overrides: OFF, standing: [to] })).toEqual([
      'switched off: Service monitoring/a overrides.yaml switches it off',
    ]);
  });

  test('is told once', () => {
    const parts = [
      'tools: { shop/orders: { enabled: false } }',
      'holmesgpt: { mcp_servers: { shop/orders: { enabled: false } } }',
    ];
    const both = made([orders]);
    const told = (overrides: string) => unwanted(both, { overrides, standing: [both] });
    expect(told(parts[1] ?? '')).toEqual(['switched off: shop/orders overrides.yaml switches it off']);
    expect(told(parts.join('\n'))).toEqual([
      'switched off: Service shop/orders overrides.yaml switches it off',
    ]);
  });

  test('is what the last valid ones switch off, while those of now are invalid', () => {
    const revisions = [revision(to, 'tools: {}'), revision(to, OFF), revision(to, INVALID)];
    expect(unwanted(to, { overrides: INVALID, standing: [to], revisions })).toEqual([
      'switched off: Service monitoring/a overrides.yaml switches it off (its last valid version does; the current one is invalid)',
    ]);
    expect(lastValid(revisions)?.text).toBe(OFF);
    expect(unwanted(to, { overrides: INVALID, standing: [to] })).toEqual([]);
    expect(lastValid([])).toBeUndefined();
  });

  test('may be another name of what is not published now, unless that was another product', () => {
    const off = 'tools: { monitoring/gone: { enabled: false } }';
    const gone = discovered(service('gone', { labels: { app: 'tempo' }, ports: ['http:3200'] }));
    const standing = [made([])];
    expect(unwanted(made([loki('a')]), { overrides: off, standing })).toEqual([
      expect.stringContaining('may lead to Pods of monitoring/gone'),
    ]);
    for (let time = 0; time < 2; time++) {
      const revisions = [revision(made([loki('a'), gone]))];
      expect(unwanted(made([loki('a')]), { overrides: off, standing, revisions })).toEqual([]);
    }
  });
});

describe('credentials', () => {
  const grafana = discovered(service('grafana', { labels: { app: 'grafana' }, ports: ['http:3000'] }));
  const credentials = { grafana: { namespaces: ['monitoring'], apiKey: 'KEY' } };
  const to = made([grafana], {}, { credentials });
  const KEYED = expect.stringContaining('not approved: ');

  test('are unwanted unless they are published now, or settings give them', () => {
    expect(unwanted(to, { standing: [to] })).toEqual([]);
    expect(unwanted(to)).toEqual([KEYED]);
    expect(unwanted(to, { generation: { ...GENERATION, credentials } })).toEqual([]);
  });

  test('are unwanted where only those of the settings count', () => {
    expect(unwanted(to, { standing: [to], onlyConfiguredCredentials: true })).toEqual([KEYED]);
  });
});

test('tools of Services that the settings exclude are unwanted, and people may write any others', () => {
  const overrides = { tools: { mine: { type: 'custom', endpoint: 'http://mine:80', description: 'Mine.' } } };
  const to = made([loki('a')], overrides);
  const excluded = (): string => 'its detector is off';
  expect(unwanted(to, { overrides: stringify(overrides), standing: [to], excluded })).toEqual([
    'excluded: a.monitoring the settings exclude it: its detector is off',
  ]);
});

describe('what a person accepts', () => {
  const one = { is: 'not approved', where: 'Service shop/orders', what: '' } as const;
  const other = { ...one, where: 'grafana/loki', detail: 'to monitoring/a' } as const;

  test('is stored as hashes, in the same order each time, and each once', () => {
    expect(acceptedText([])).toBeUndefined();
    expect(acceptedText([one, other, one])).toBe(acceptedText([other, one]));
    // Of a revision that is stored already.
    expect(acceptedText([one])).toBe('643158719f73');
    expect(acceptedText([one, other])).toMatch(/^[0-9a-f]{12},[0-9a-f]{12}$/);
    expect(notAccepted([one, other], acceptedText([other]))).toEqual([one]);
    expect(notAccepted([one], undefined)).toEqual([one]);
  });

  test('is everything if there is no room for the hashes', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...one, where: `Service a/${index}` }));
    expect(acceptedText(many(1_260))).toHaveLength(1_260 * 13 - 1);
    expect(acceptedText(many(1_261))).toBe('*');
  });
});
