import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { type ApprovalRules, type Unapproved, unapproved } from './unapproved.ts';

const server = (name: string, labels = {}): DiscoveredService =>
  discovered(
    service(name, { namespace: 'shop', labels: { app: 'mcp-server', ...labels }, ports: ['mcp:8000'] }),
  );
const ORDERS = server('orders');
/** The same Service, offered by its owner as what no detector knows. */
const CUSTOM = discovered(offered('orders', {}, { namespace: 'shop' }));
const LOKI = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));

const of = (found: DiscoveredService, rules: Partial<ApprovalRules> = {}): readonly Unapproved[] =>
  unapproved([found], {
    overrides: NO_OVERRIDES,
    policy: { mcpPolicy: 'approve' },
    standing: [],
    areNamespacesKnown: true,
    ...rules,
  });

const where = 'Service shop/orders';
const fix = 'if you trust it: dynamic-toolset approve shop/orders';
const WAITS = { where, what: 'is not approved', fix, isRefused: false };

describe('a Service may be published again', () => {
  test.each<[string, DiscoveredService, Partial<ApprovalRules>]>([
    ['that needs no approval', LOKI, {}],
    [
      'that is approved',
      ORDERS,
      { overrides: overridesSchema.parse({ tools: { 'shop/orders': { approved: true } } }) },
    ],
    [
      'of a namespace that serve lists by name',
      ORDERS,
      { policy: { mcpPolicy: 'approve', namespaces: ['shop'] } },
    ],
    ['that serve published last, perhaps because it trusts the namespace', ORDERS, { standing: [ORDERS] }],
    [
      'that serve published last, if its namespaces are unknown',
      ORDERS,
      { standing: [ORDERS], areNamespacesKnown: false },
    ],
    ['where all are published', ORDERS, { policy: { mcpPolicy: 'publish' } }],
  ])('%s', (_, found, rules) => {
    expect(of(found, rules)).toEqual([]);
  });
});

describe('a Service may not be published', () => {
  test.each<[string, DiscoveredService, Partial<ApprovalRules>]>([
    ['that is not approved', ORDERS, {}],
    ['if only another one of its namespace was published', ORDERS, { standing: [server('stock')] }],
    ['if it was published as another kind', ORDERS, { standing: [CUSTOM] }],
    ['if only all namespaces are listed', ORDERS, { policy: { mcpPolicy: 'approve', namespaces: ['*'] } }],
  ])('%s', (_, found, rules) => {
    expect(of(found, rules)).toEqual([WAITS]);
  });

  test('because of namespaces that may not be those of serve', () => {
    const policy = { mcpPolicy: 'approve', namespaces: ['shop'] } as const;
    expect(of(ORDERS, { policy, areNamespacesKnown: false })).toEqual([
      {
        ...WAITS,
        what: 'is not approved, nor published now, and which namespaces serve trusts is unknown here',
      },
    ]);
  });

  test('and it is said how to approve its kind in a file', () => {
    const policy = { mcpPolicy: 'approve', approvalPlace: { file: 'mine.yaml' } } as const;
    for (const [found, kind] of [
      [ORDERS, 'mcp'],
      [CUSTOM, 'custom'],
    ] as const)
      expect(of(found, { policy })[0]?.fix).toBe(`${fix} --type ${kind} --file mine.yaml`);
  });
});

describe('a Service is refused, although it was published last', () => {
  const refusing = (tools: object): Partial<ApprovalRules> => ({
    overrides: overridesSchema.parse({ tools }),
    standing: [ORDERS],
  });

  test.each<[string, DiscoveredService, Partial<ApprovalRules>]>([
    ['in overrides.yaml', ORDERS, refusing({ 'shop/orders': { approved: false } })],
    [
      'with another Service of its backend',
      { ...ORDERS, alternates: ['orders-old'] },
      refusing({ 'shop/orders-old': { approved: false } }),
    ],
  ])('%s', (_, found, rules) => {
    expect(of(found, rules)).toEqual([{ where, what: 'overrides.yaml refuses it', fix, isRefused: true }]);
  });

  test.each<[string, DiscoveredService, Partial<ApprovalRules>, string]>([
    ['where none is published', ORDERS, { policy: { mcpPolicy: 'off' } }, 'not published: MCP_POLICY is off'],
    [
      'if HolmesGPT lists it itself',
      server('orders', { 'app.kubernetes.io/part-of': 'holmes' }),
      {},
      "not added: HolmesGPT's chart (label app.kubernetes.io/part-of: holmes) lists it already",
    ],
  ])('%s, which no approval changes', (_, found, rules, what) => {
    expect(of(found, { ...rules, standing: [ORDERS] })).toEqual([{ where, what, isRefused: true }]);
  });
});
