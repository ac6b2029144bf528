import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { type AdmissionPolicy, admissionOf, admit, approvalsOf } from './admission.ts';
import { toolsShown } from './tools-shown.ts';

const server = (namespace: string, labels = {}, name = 'orders'): DiscoveredService => ({
  ...discovered(service(name, { namespace, labels: { app: 'mcp-server', ...labels }, ports: ['mcp:8000'] })),
});
const withTools = (found: DiscoveredService): DiscoveredService => ({
  ...found,
  verdict: {
    ...found.verdict,
    tools: [
      { name: 'cancel_order', readOnly: false, digest: '1' },
      { name: 'get_order', readOnly: true, digest: '2' },
    ],
  },
});
const annotatedService = discovered(offered('weather', {}, { namespace: 'shop' }));
const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));

const APPROVE: AdmissionPolicy = { mcpPolicy: 'approve', namespaces: ['monitoring', '*'] };
const overrides = (content: unknown): Overrides => overridesSchema.parse(content);
const state = (found: DiscoveredService, policy = APPROVE, written: Overrides = NO_OVERRIDES) =>
  admissionOf(found, policy, written).state;

describe('trust', () => {
  test.each([
    ['an MCP server of any namespace', server('shop'), APPROVE, 'waiting'],
    ['a Service that its owner offers', annotatedService, APPROVE, 'waiting'],
    ['a kind that answers for itself', loki, APPROVE, 'open'],
    ['one of a namespace that is listed by name', server('monitoring'), APPROVE, 'trusted'],
    ['one of all namespaces', server('shop'), { ...APPROVE, namespaces: ['*'] }, 'waiting'],
    ['any, where all are published', server('shop'), { ...APPROVE, mcpPolicy: 'publish' }, 'published'],
    ['none, where none is', server('monitoring'), { ...APPROVE, mcpPolicy: 'off' }, 'off'],
    ['a kind that needs no trust, then', loki, { ...APPROVE, mcpPolicy: 'off' }, 'open'],
  ] as const)('%s', (_, found, policy, expected) => {
    expect(state(found, policy)).toBe(expected);
  });

  test.each(['shop/orders', 'orders.shop'])('an operator approves it as %s', (key) => {
    const found = server('shop');
    expect(state(found, APPROVE, overrides({ tools: { [key]: { approved: true } } }))).toBe('approved');
  });

  test('a display name approves nothing: only namespace and Service count', () => {
    const evil = discovered(
      service('x', {
        namespace: 'evil',
        labels: { app: 'mcp-server' },
        ports: ['mcp:8000'],
        annotations: { 'kubernaut.io/toolset-name': 'orders.shop' },
      }),
    );
    const approvals = overrides({
      tools: { 'orders.shop': { approved: true }, 'shop/orders': { approved: true } },
    });
    expect(state(evil, APPROVE, approvals)).toBe('waiting');
  });

  test('an approval is for the Service that it names, and a refusal for its whole backend', () => {
    const other = { ...server('shop'), alternates: ['approved-one'] };
    const word = (approved: boolean) => overrides({ tools: { 'shop/approved-one': { approved } } });
    expect(state(other, APPROVE, word(true))).toBe('waiting');
    const trusted = { ...server('monitoring'), alternates: ['refused-one'] };
    const refusal = overrides({ tools: { 'monitoring/refused-one': { approved: false } } });
    expect(state(trusted, APPROVE, refusal)).toBe('waiting');
  });

  test('approval of a Service as one kind does not cover another kind', () => {
    const as = (approved: unknown) =>
      overrides({ tools: { 'shop/orders': { approved }, 'shop/weather': { approved } } });
    expect(state(server('shop'), APPROVE, as('mcp'))).toBe('approved');
    expect(state(server('shop'), APPROVE, as('custom'))).toBe('waiting');
    expect(state(annotatedService, APPROVE, as('custom'))).toBe('approved');
    expect(state(annotatedService, APPROVE, as('mcp'))).toBe('waiting');
    expect(state(annotatedService, APPROVE, as(true))).toBe('approved');
    expect(admissionOf(server('shop'), APPROVE, as('custom')).reason).toBe(
      'waits for approval: it was approved as custom, and is mcp now; dynamic-toolset approve shop/orders',
    );
    // In a namespace that is trusted by name, it is the person's own narrower word that counts.
    expect(
      state(
        server('monitoring'),
        APPROVE,
        overrides({ tools: { 'monitoring/orders': { approved: 'custom' } } }),
      ),
    ).toBe('waiting');
  });

  test('"approved: false" refuses one even if all are published', () => {
    const refused = overrides({ tools: { 'shop/orders': { approved: false } } });
    expect(state(server('shop'), { ...APPROVE, mcpPolicy: 'publish' }, refused)).toBe('refused');
  });

  test('"approved: false" refuses one in a trusted namespace too', () => {
    const written = overrides({ tools: { 'monitoring/orders': { approved: false } } });
    expect(state(server('monitoring'), APPROVE, written)).toBe('refused');
  });

  test.each([{ approved: false }, { enabled: false }])('nobody is asked to approve what is %j', (entry) => {
    const written = overrides({ tools: { 'shop/orders': entry } });
    const { services, waiting, notes } = admit([server('shop'), server('ops')], APPROVE, written);
    expect(services).toEqual([]);
    expect(waiting.map(({ service: { namespace } }) => namespace)).toEqual(['ops']);
    expect(notes.map(({ where }) => where)).toEqual(['Service ops/orders']);
  });

  test('is unknown where overrides cannot be read, except for what needs no approval', () => {
    const blind = { ...APPROVE, approvalsUnknown: 'overrides.yaml cannot be read' };
    expect(state(server('monitoring'), blind)).toBe('unknown');
    expect(state(server('shop'), blind)).toBe('unknown');
  });
});

describe('precedence', () => {
  const orders = server('shop');
  const withTwin = { ...orders, sharesPods: ['orders-twin'] };
  const leadsElsewhere = { ...orders, targets: ['old.ops.svc.cluster.local'] };
  const REFUSED_BESIDE =
    'waits for approval: it goes with shop/orders-twin, which overrides.yaml refuses; dynamic-toolset approve shop/orders';
  const REFUSED =
    'not published: overrides.yaml refuses it; to approve it: dynamic-toolset approve shop/orders';

  test.each<[string, DiscoveredService, Record<string, object>, string]>([
    [
      'a refusal under one form of the key beats an approval under the other',
      orders,
      { 'shop/orders': { approved: true }, 'orders.shop': { approved: false } },
      REFUSED,
    ],
    [
      'a key without an approval leaves the decision to the other form',
      orders,
      { 'shop/orders': { description: 'Orders' }, 'orders.shop': { approved: 'custom' } },
      'waits for approval: it was approved as custom, and is mcp now; dynamic-toolset approve shop/orders',
    ],
    [
      'the refusal of a Service with some of its Pods applies',
      withTwin,
      { 'shop/orders-twin': { approved: false } },
      REFUSED_BESIDE,
    ],
    [
      'the refusal of a Service that it leads to applies, in any namespace',
      leadsElsewhere,
      { 'ops/old': { approved: false } },
      'waits for approval: it goes with ops/old, which overrides.yaml refuses; dynamic-toolset approve shop/orders',
    ],
    [
      'a Service that is refused itself does not mention others',
      withTwin,
      { 'shop/orders': { approved: false }, 'shop/orders-twin': { approved: false } },
      REFUSED,
    ],
    [
      'an approval of the Service itself stays valid, whatever else is refused',
      withTwin,
      { 'shop/orders': { approved: true }, 'shop/orders-twin': { approved: false } },
      'approved in overrides.yaml',
    ],
    [
      'so does an approval as its type',
      withTwin,
      { 'shop/orders': { approved: 'mcp' }, 'shop/orders-twin': { approved: false } },
      'approved in overrides.yaml',
    ],
    [
      'one as another kind does not',
      withTwin,
      { 'shop/orders': { approved: 'custom' }, 'shop/orders-twin': { approved: false } },
      REFUSED_BESIDE,
    ],
  ])('%s', (_, found, tools, reason) => {
    expect(admissionOf(found, APPROVE, overrides({ tools })).reason).toBe(reason);
  });

  test('a Service of another cluster is not the one that overrides name, nor is its namespace', () => {
    const other = (namespace: string): DiscoveredService => {
      const found = server(namespace);
      return { ...found, service: { ...found.service, cluster: 'east' } };
    };
    const named = overrides({
      tools: { 'shop/orders': { approved: true }, 'orders.shop.east': { approved: true } },
    });
    expect(state(other('shop'), APPROVE, named)).toBe('waiting');
    expect(state(other('monitoring'), APPROVE)).toBe('waiting');
  });

  test('approvals remain when all changes of a tool are removed', () => {
    const shown = `sha256:${'0'.repeat(64)}`;
    const written = overrides({
      tools: {
        'shop/orders': { approved: 'mcp', approvedTools: shown, description: 'Orders' },
        'shop/other': { approved: false },
        'monitoring/loki': { enabled: false },
      },
      holmesgpt: { toolsets: { internet: { enabled: true } } },
    });
    expect(approvalsOf(written)).toEqual({
      tools: { 'shop/orders': { approved: 'mcp', approvedTools: shown }, 'shop/other': { approved: false } },
      parts: {},
      mentions: NO_OVERRIDES.mentions,
    });
  });
});

describe('a server that the agent already has is not added', () => {
  const url = 'http://orders.shop.svc.cluster.local:8000/mcp';
  test.each([
    [
      'a separate entry, in another spelling',
      {
        holmesgpt: { mcp_servers: { mine: { config: { url: 'http://orders.shop:8000/sse', mode: 'sse' } } } },
      },
    ],
    ['its old field for the URL', { holmesgpt: { mcp_servers: { mine: { url: `${url}/` } } } }],
    [
      'a whole tool',
      { tools: { mine: { type: 'mcp', endpoint: 'http://orders.shop.svc:8000/mcp', description: 'd' } } },
    ],
  ])('%s', (_, content) => {
    expect(admissionOf(server('shop'), APPROVE, overrides(content))).toEqual({
      state: 'listed',
      reason: expect.stringMatching(/^not added: overrides\.yaml, .* mine lists it already$/),
    });
  });

  test.each<[string, unknown]>([
    [
      'a change of the generated entry itself',
      { holmesgpt: { mcp_servers: { 'shop/orders': { config: { url } } } } },
    ],
    [
      'a change of the tool by its other key',
      { tools: { 'orders.shop': { type: 'mcp', endpoint: url, description: 'd' } } },
    ],
    [
      'a server at another host',
      { holmesgpt: { mcp_servers: { mine: { url: 'http://other.shop:8000/mcp' } } } },
    ],
    [
      'a tool of another type at its address',
      { tools: { mine: { type: 'loki', endpoint: url, description: 'd' } } },
    ],
    ['half a tool', { tools: { mine: { type: 'mcp', endpoint: url } } }],
  ])('%s does not count as a server entry', (_, content) => {
    expect(state(server('shop'), APPROVE, overrides(content))).toBe('waiting');
  });

  test('the same host matches with any port and path; outside the cluster, the whole URL must match', () => {
    const listing = (at: string) => overrides({ holmesgpt: { mcp_servers: { mine: { url: at } } } });
    expect(state(server('shop'), APPROVE, listing('http://orders.shop:9000/admin'))).toBe('listed');
    const outside: DiscoveredService = {
      ...server('shop'),
      endpoint: { scheme: 'https', host: 'mcp.example.com', port: 443, path: '/mcp' },
    };
    expect(state(outside, APPROVE, listing('https://mcp.example.com/sse'))).toBe('listed');
    expect(state(outside, APPROVE, listing('https://mcp.example.com/other'))).toBe('waiting');
  });

  test('a server of HolmesGPT’s own chart, and one that only claims to be', () => {
    const labels = { 'app.kubernetes.io/part-of': 'holmes' };
    expect(state(server('monitoring', labels), { ...APPROVE, mcpPolicy: 'publish' })).toBe('listed');
    const prometheus = discovered(
      service('prometheus', { labels: { app: 'prometheus', ...labels }, ports: [9090] }),
    );
    expect(state(prometheus)).toBe('open');
    expect(state(discovered(offered('weather', {}, { namespace: 'shop', labels })))).toBe('waiting');
  });
});

describe('admission of a tool', () => {
  const names = (found: readonly DiscoveredService[]): string[] => found.map(({ service }) => service.name);

  test.each([
    ['open', loki, APPROVE, true],
    ['trusted', server('monitoring'), APPROVE, true],
    ['published', server('shop'), { mcpPolicy: 'publish' }, true],
    ['waiting', server('shop'), APPROVE, false],
    ['off', server('shop'), { mcpPolicy: 'off' }, false],
    ['listed', server('shop', { 'app.kubernetes.io/part-of': 'holmes' }), APPROVE, false],
  ] as const)('%s', (expected, found, policy, isPublished) => {
    expect(state(found, policy)).toBe(expected);
    const { services, held, waiting } = admit([found], policy, NO_OVERRIDES);
    const name = [found.service.name];
    expect([names(services), names(held)]).toEqual(isPublished ? [name, []] : [[], name]);
    expect(names(waiting)).toEqual(expected === 'waiting' ? name : []);
  });

  test('waiting Services are in the order of namespaces and names', () => {
    const found = [server('shop', {}, 'b'), server('shop', {}, 'a'), server('apps', {}, 'c')];
    expect(names(admit(found, APPROVE, NO_OVERRIDES).waiting)).toEqual(['c', 'a', 'b']);
  });

  test('an unapproved server is believed in everything except its read-only tools', () => {
    const found = withTools(server('shop'));
    const { tools, ...verdict } = found.verdict;
    expect(admit([found], { mcpPolicy: 'publish' }, NO_OVERRIDES).services).toEqual([
      { ...found, verdict: { ...verdict, tools: tools?.map((tool) => ({ ...tool, readOnly: false })) } },
    ]);
    expect(admit([server('shop')], { mcpPolicy: 'publish' }, NO_OVERRIDES).services).toEqual([
      server('shop'),
    ]);
  });

  test.each(['shop/orders', 'orders.shop'])('the shown tools count under the key %s', (key) => {
    const found = withTools(server('shop'));
    const readOnly = (approvedTools: string | undefined): number | undefined =>
      admit(
        [found],
        APPROVE,
        overrides({ tools: { [key]: { approved: true, approvedTools } } }),
      ).services[0]?.verdict.tools?.filter((tool) => tool.readOnly).length;
    expect(readOnly(toolsShown(found.verdict))).toBe(1);
    expect(readOnly(`sha256:${'0'.repeat(64)}`)).toBe(0);
    expect(readOnly(undefined)).toBe(1);
  });

  test('other tools are reported, with the command that accepts them, unless they are unknown', () => {
    const found = withTools(server('shop'));
    const told = (one: DiscoveredService, approvedTools?: string) => {
      const written = overrides({ tools: { 'shop/orders': { approved: true, approvedTools } } });
      return { ...admissionOf(one, APPROVE, written), notes: admit([one], APPROVE, written).notes };
    };
    const other = `sha256:${'0'.repeat(64)}`;
    expect(told(found, other)).toEqual({
      state: 'approved',
      reason:
        'approved in overrides.yaml; it offers other tools than approve showed, so the agent asks before each of them; to see and accept them: dynamic-toolset approve shop/orders',
      notes: [
        {
          where: 'Service shop/orders',
          what: 'it offers other tools than approve showed, so the agent asks before each of them',
          fix: 'to see and accept them: dynamic-toolset approve shop/orders',
        },
      ],
    });
    const asApproved = { state: 'approved', reason: 'approved in overrides.yaml', notes: [] };
    expect(told(found, toolsShown(found.verdict))).toEqual(asApproved);
    expect(told(found)).toEqual(asApproved);
    expect(told(server('shop'), other)).toEqual(asApproved);
    const truncated = { ...found, verdict: { ...found.verdict, toolsTruncated: true } };
    expect(told(truncated, other)).toEqual(asApproved);
  });

  test('one of two shown lists is enough', () => {
    const found = withTools(server('shop'));
    const written = overrides({
      tools: {
        'shop/orders': { approved: true, approvedTools: `sha256:${'0'.repeat(64)}` },
        'orders.shop': { approvedTools: toolsShown(found.verdict) },
      },
    });
    expect(admit([found], APPROVE, written).services).toEqual([found]);
  });
});

describe('effects', () => {
  const options = { credentials: {}, holmesgptVersion: '0.32', kinds: new Map() } as const;
  const entry = (found: DiscoveredService, policy: AdmissionPolicy, written = NO_OVERRIDES): string =>
    generate([found], { ...options, ...policy, overrides: written }).documents['custom_toolset.yaml'] ?? '';

  test('a waiting Service is in no document, and reported with the command to approve it', () => {
    const { documents, notes, waiting, tools } = generate([withTools(server('shop')), loki], {
      ...options,
      ...APPROVE,
      overrides: overrides({ tools: { 'shop/orders': { description: 'Orders' } } }),
    });
    expect(JSON.stringify(documents)).not.toContain('orders');
    expect([tools.length, waiting]).toEqual([1, ['shop/orders']]);
    expect(notes).toEqual([
      {
        where: 'Service shop/orders',
        what: 'waits for approval and is not published until then (mcp, 2 tools: cancel_order, get_order (read-only))',
        fix: 'if you trust it: dynamic-toolset approve shop/orders',
      },
    ]);
  });

  test('without the approvals of the cluster, it is left out here, and may be published there', () => {
    const policy = { ...APPROVE, approvalPlace: { file: 'mine.yaml', flag: '--overrides' } } as const;
    expect(generate([server('shop')], { ...options, ...policy, overrides: NO_OVERRIDES }).notes).toEqual([
      {
        where: 'Service shop/orders',
        what: 'is left out, because approvals are read only with --overrides, and not from the cluster (mcp)',
        fix: expect.stringContaining('--file mine.yaml'),
      },
    ]);
  });

  test('an approved server may run its read-only tools, and all others ask', () => {
    const approved = overrides({ tools: { 'shop/orders': { approved: true } } });
    const text = entry(withTools(server('shop')), APPROVE, approved);
    expect(text).toContain('approval_required_tools');
    expect(text).toContain('get_order?*');
    expect(text).not.toContain('- "*"\n');
  });

  test.each([
    ['a server with unknown tools', server('monitoring'), APPROVE],
    ['an untrusted server', withTools(server('shop')), { ...APPROVE, mcpPolicy: 'publish' }],
  ] as const)('%s asks for each tool', (_, found, policy) => {
    expect(entry(found, policy)).toMatch(/approval_required_tools:\n\s+- "\*"\n/);
  });

  test.each(['approved', 'trusted'] as const)(
    'a server that is %s and whose tools differ from the approved ones asks for each of them',
    (trust) => {
      const namespace = trust === 'trusted' ? 'monitoring' : 'shop';
      const shown = withTools(server(namespace));
      const tools = [...(shown.verdict.tools ?? []), { name: 'wipe', readOnly: true, digest: '3' }];
      const other = { ...shown, verdict: { ...shown.verdict, tools } };
      const word = {
        ...(trust === 'approved' ? { approved: 'mcp' } : {}),
        approvedTools: toolsShown(shown.verdict),
      };
      const written = overrides({ tools: { [`${namespace}/orders`]: word } });
      const readOnly = (found: DiscoveredService): string[] =>
        admit([found], APPROVE, written).services.flatMap(({ verdict }) =>
          (verdict.tools ?? []).filter((tool) => tool.readOnly).map(({ name }) => name),
        );
      expect(readOnly(shown)).toEqual(['get_order']);
      expect(readOnly(other)).toEqual([]);
    },
  );

  test('an operator’s own list wins', () => {
    const written = overrides({
      holmesgpt: { mcp_servers: { 'monitoring/orders': { approval_required_tools: ['cancel_*'] } } },
    });
    expect(entry(server('monitoring'), APPROVE, written)).toMatch(
      /approval_required_tools:\n\s+- cancel_\*\n\s+config/,
    );
  });

  test('names of tools are untrusted text: one short line', () => {
    const hostile = Array.from({ length: 50 }, (_, n) => ({
      name: `\u001b[31m${n}${'x'.repeat(120)}`,
      readOnly: true,
      digest: '',
    }));
    const found = server('shop');
    const { notes } = admit(
      [{ ...found, verdict: { ...found.verdict, tools: hostile } }],
      APPROVE,
      NO_OVERRIDES,
    );
    expect(notes[0]?.what).not.toContain('\u001b');
    expect(notes[0]?.what.length).toBeLessThan(600);
  });

  test('a namespace with many takes few lines', () => {
    const many = Array.from({ length: 300 }, (_, n) => server('evil', {}, `orders-${n}`));
    const { notes, waiting } = admit([...many, server('shop')], APPROVE, NO_OVERRIDES);
    expect([waiting.length, notes.length]).toEqual([301, 7]);
    expect(notes.map(({ where }) => where)).toContain('Service shop/orders');
    expect(notes).toContainEqual(expect.objectContaining({ what: expect.stringContaining('295 more') }));
    expect(admit(many.slice(0, 5), APPROVE, NO_OVERRIDES).notes.map(({ where }) => where)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `Service evil/orders-${n}`),
    );
  });
});
