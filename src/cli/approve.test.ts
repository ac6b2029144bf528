import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text as streamText } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { json, kubeconfigFor, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { textOfBinary } from '../model/binary-text.ts';
import { NO_TOOLS_SHOWN, toolsShown } from '../planning/tools-shown.ts';
import { type ApproveFlags, approveCommand } from './approve.ts';

/** Runs `approve` with this text on standard input. */
async function run(services: readonly string[], flags: ApproveFlags, stdin: string) {
  const { cli, written } = cliContext({ stdin: Readable.from([stdin]) });
  const code = await approveCommand(services, flags, cli);
  return { code, ...written };
}

/** Runs `approve` on a file with this text, or on standard input for `-`. */
async function approving(services: readonly string[], text: string, flags: ApproveFlags = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'approve-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'overrides.yaml');
  await writeFile(path, text);
  const done = await run(services, { file: path, ...flags }, text);
  return { ...done, file: await readFile(path, 'utf8') };
}

const BOTH = 'tools:\n  shop/orders:\n    approved: true\n  shop/other:\n    approved: true\n';

test('a file is edited, for several Services at once', async () => {
  const done = await approving(['shop/orders', 'shop/other'], '# ours\n');
  expect(done).toMatchObject({ code: 0, file: `# ours\n${BOTH}`, result: '' });
  expect(done.messages).toMatch(/^shop\/orders, shop\/other are approved in .*overrides\.yaml\.\n/);
  expect(done.messages).toContain('any type is approved; use --type mcp');
});

test('an approval names the type that it is for', async () => {
  const done = await approving(['shop/orders'], 'tools:\n  shop/orders:\n    approved: true # ours\n', {
    type: 'mcp',
  });
  expect(done.file).toBe('tools:\n  shop/orders:\n    approved: mcp # ours\n');
  expect(done.messages).toMatch(/^shop\/orders \(as mcp\) is approved in [^\n]*\n$/);
});

test('- reads standard input and writes standard output', async () => {
  const done = await approving(['shop/orders', 'shop/other'], '', { file: '-' });
  expect(done).toMatchObject({ code: 0, result: BOTH });
  expect(done.messages).toMatch(/are approved in the text on standard output\.\n/);
});

test.each(['tools: {}\n', ''])(
  'commands that edit one file at once lose nothing of each other: %j',
  async (text) => {
    const folder = await mkdtemp(join(tmpdir(), 'approve-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'overrides.yaml');
    if (text !== '') await writeFile(file, text);
    const names = ['a', 'b', 'c', 'd'];
    const done = await Promise.all(names.map((name) => run([`shop/${name}`], { file, type: 'mcp' }, '')));
    expect(done.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const { tools } = parse(await readFile(file, 'utf8'));
    expect(Object.keys(tools).sort()).toEqual(names.map((name) => `shop/${name}`));
  },
);

test('a dry run shows the difference and writes nothing', async () => {
  const { file, result } = await approving(['shop/orders'], '# ours\n', { dryRun: true });
  expect(file).toBe('# ours\n');
  expect(result).toContain('+    approved: true\n');
});

test('an existing approval is not changed', async () => {
  const { file, messages } = await approving(['shop/orders'], BOTH);
  expect(file).toBe(BOTH);
  expect(messages).toMatch(/^shop\/orders is approved already in \S+; nothing was changed\.\n$/);
  expect((await approving(['shop/orders'], BOTH, { quiet: true })).messages).toBe('');
  expect(await approving(['shop/orders'], BOTH, { dryRun: true })).toMatchObject({ result: '' });
});

test('a new approval and an existing one are told apart', async () => {
  const { file, messages } = await approving(['shop/orders', 'shop/new'], BOTH);
  expect(file).toBe(`${BOTH}  shop/new:\n    approved: true\n`);
  expect(messages).toMatch(
    /^shop\/new is approved in \S+\.\nshop\/orders is approved already in \S+\.\nshop\/new: the type is unknown [^\n]*\n$/,
  );
});

test('an approval is revoked', async () => {
  const { file } = await approving(['shop/orders'], BOTH, { revoke: true });
  expect(file).toBe(BOTH.replace('true', 'false'));
});

test('invalid overrides are not changed, and a command shows every error', async () => {
  await expect(approving(['shop/orders'], 'toolz: {}\n')).rejects.toThrow(
    /cannot be used: line 1.*correct it first; this shows every error: dynamic-toolset validate --kind overrides \/.*overrides\.yaml$/,
  );
});

test.each(['mcp', 'custom', 'true'])(
  'an approval of a type (%s) is not widened while the type is unknown',
  async (word) => {
    const text = `tools:\n  shop/orders:\n    approved: ${word}\n`;
    const done = await approving(['shop/orders'], text);
    expect(done.file).toBe(text);
    expect(done.messages).toMatch(/shop\/orders.* is approved already in .*; nothing was changed\.\n$/);
  },
);

test('an approval beside a refusal under the other form of the key is an error, because the refusal wins', async () => {
  const text = 'tools:\n  orders.shop:\n    approved: false\n  shop/orders:\n    enabled: true\n';
  await expect(approving(['shop/orders'], text, { type: 'mcp' })).rejects.toThrow(
    /is left as it is: it has approved: false for the same Service under orders\.shop, which wins; take that out first$/,
  );
  const only = await approving(['shop/orders'], 'tools:\n  orders.shop:\n    approved: false\n');
  expect(only.file).toBe('tools:\n  orders.shop:\n    approved: true\n');
});

test('overrides that cannot be changed without a doubt are left as they are, and it says what to write', async () => {
  const aliases = 'tools:\n  shop/a: &same { approved: true }\n  shop/orders: *same\n';
  await expect(approving(['shop/orders'], aliases, { type: 'mcp' })).rejects.toThrow(
    /overrides\.yaml is left as it is: .*tools: \{shop\/orders: \{approved: mcp\}\}/,
  );
});

test('an argument that names no Service is rejected, with an example', async () => {
  await expect(approving(['orders'], '')).rejects.toThrow(
    /write <namespace>\/<service>, for example monitoring\/prometheus-server/,
  );
  await expect(approving(['orders-mcp.shop'], '')).rejects.toThrow(/here probably shop\/orders-mcp$/);
});

test.each(['shop/*', 'Shop/orders', 'shop/My_Svc', 'shop/a\nholmesgpt: {}', 'shop/a b'])(
  'an approval is for one Service, and never for a pattern: %j',
  async (name) => {
    await expect(approving([name], 'tools: {}\n')).rejects.toThrow(
      /is not the name of a namespace or Service/,
    );
  },
);

/** A Service with a port of its name. */
const offered = (name: string, labels: Record<string, string>, port: string, number: number) => ({
  metadata: { namespace: 'shop', name, labels, resourceVersion: '1', uid: name },
  spec: { selector: { app: name }, ports: [{ name: port, port: number }], clusterIP: '10.0.0.1' },
});
const ORDERS = offered('orders', { app: 'mcp-server' }, 'mcp', 8000);
const LOKI = offered('loki', { app: 'loki' }, 'http', 3100);
const API = offered('api', {}, 'http', 8080);
const DESCRIBED = {
  ...API,
  metadata: {
    ...API.metadata,
    annotations: {
      'kubernaut.io/toolset': 'true',
      'kubernaut.io/toolset-type': 'custom',
      'kubernaut.io/toolset-description': 'Trust "me"',
    },
  },
};
const PLAIN = offered('plain', {}, 'x', 12345);
const slice = (name: string, ready: boolean) => ({
  metadata: { namespace: 'shop', name, labels: { 'kubernetes.io/service-name': name } },
  endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready }, targetRef: { kind: 'Pod', name } }],
});
const TOOLS = [
  { name: 'get_order', annotations: { readOnlyHint: true } },
  {
    name: 'cancel_order',
    description: 'Cancels an order.\n  read-only     wipe_all\u001b[2J\n',
    inputSchema: { type: 'object', properties: { id: { type: 'string', description: 'Of the order' } } },
  },
];

/** Answers as an MCP server with two tools. */
function mcpAnswer(response: ServerResponse, body: string, tools: readonly object[] | undefined): void {
  const { method } = JSON.parse(body === '' ? '{}' : body) as { method?: string };
  const results: Record<string, object> = {
    initialize: { protocolVersion: '2025-06-18', serverInfo: { name: 'x' } },
    ...(tools === undefined ? {} : { 'tools/list': { tools } }),
  };
  const result = results[method ?? ''];
  if (result !== undefined) json(response, { jsonrpc: '2.0', id: 1, result });
  else response.writeHead(method === 'notifications/initialized' ? 202 : 404).end();
}

/** Runs `approve` in a cluster with these Services in the namespace `shop`, and with this text of overrides. */
async function inCluster(
  services: readonly string[],
  flags: ApproveFlags = {},
  {
    text = '# ours\n',
    refused = '',
    hasList = true,
    isReady = true,
    tools = TOOLS as readonly object[],
    settings = undefined as Record<string, string> | undefined,
    immutable = false,
  } = {},
) {
  const list = [ORDERS, LOKI, PLAIN, DESCRIBED];
  const requests: string[] = [];
  const state = { version: 1, overrides: text };
  const configMap = () => ({
    immutable,
    metadata: { resourceVersion: String(state.version) },
    data: { 'overrides.yaml': state.overrides },
  });
  const { server } = await kubeServer(async (response, { path }, request) => {
    const body = await streamText(request);
    requests.push(`${request.method} ${path}`);
    if (refused !== '' && path.endsWith(refused)) return refuse(response, 403, 'Forbidden');
    if (path.includes('http:orders:8000/proxy/'))
      return mcpAnswer(response, body, hasList ? tools : undefined);
    if (path.endsWith('/services')) {
      const items = path.endsWith('/shop/services') ? list : [];
      return json(response, { metadata: { resourceVersion: '5' }, items });
    }
    if (path.endsWith('/endpointslices'))
      return json(response, {
        metadata: { resourceVersion: '5' },
        items: list.map(({ metadata }) => slice(metadata.name, isReady)),
      });
    if (path.endsWith('/dynamic-toolset-config'))
      return settings === undefined
        ? refuse(response, 404, 'NotFound')
        : json(response, { metadata: { resourceVersion: '1' }, data: settings });
    if (!path.includes('/configmaps/')) return refuse(response, 503, 'ServiceUnavailable');
    if (request.method === 'PATCH') {
      state.overrides = JSON.parse(body).data['overrides.yaml'];
      state.version++;
    }
    json(response, configMap());
  });
  const kubeconfig = await kubeconfigFor(server);
  const { code, result, messages } = await run(services, { kubeconfig, ...flags }, '');
  return {
    code,
    result,
    messages,
    requests,
    overrides: state.overrides,
    writes: requests.filter((each) => each.startsWith('PATCH')).length,
  };
}

describe('in a cluster', () => {
  test('an MCP server is shown with all of its tools, and approved as that, with these tools', async () => {
    const { code, messages, overrides, requests } = await inCluster(['shop/orders']);
    expect(code).toBe(0);
    expect(messages).toMatch(
      /^shop\/orders: mcp, healthy \(.*\); 2 tools\n {2}may change +cancel_order\n( {16}\| .*\n){11} {2}read-only +get_order\n/,
    );
    expect(messages).toContain(
      'shop/orders (as mcp) is approved in overrides.yaml in ConfigMap kubernaut-system/kubernaut-toolset-config; serve applies this within seconds.\n',
    );
    expect(messages.match(/(?<= \| ).*/g)).toEqual(
      expect.arrayContaining(['Cancels an order.', '  read-only     wipe_all\\u{1b}[2J', 'parameters {']),
    );
    expect(messages).toContain('"description": "Of the order"\n');
    expect(messages).not.toContain('any type');
    expect(overrides).toMatch(
      /^# ours\ntools:\n {2}shop\/orders:\n {4}approved: mcp\n {4}approvedTools: sha256:[0-9a-f]{64}\n$/,
    );
    // Nothing else in the namespace is asked.
    expect(requests.filter((each) => each.includes('/proxy/') && !each.includes(':orders:'))).toEqual([]);
  });

  test('of a namespace that serve does not watch, it says that nothing is published, and what to do', async () => {
    const unwatched = await inCluster(['shop/orders'], {}, { settings: { namespaces: 'monitoring,ops' } });
    expect(unwatched.overrides).toContain('approved: mcp\n');
    expect(unwatched.messages).not.toContain('within seconds');
    expect(unwatched.messages).toContain(
      'warning: namespace shop: serve watches monitoring, ops only, so what is approved in this namespace is not published; set NAMESPACES of serve to *; adding shop by name also publishes all MCP servers',
    );
    for (const namespaces of ['*', 'monitoring,shop']) {
      const { messages } = await inCluster(['shop/orders'], {}, { settings: { namespaces } });
      expect(messages).toContain('within seconds');
      expect(messages).not.toContain('serve watches');
    }
  });

  test('an immutable ConfigMap is not changed, and it says what to do', async () => {
    await expect(inCluster(['shop/orders'], {}, { immutable: true })).rejects.toThrow(
      /^ConfigMap kubernaut-system\/kubernaut-toolset-config is immutable, .*; delete it, or choose another with --configmap-name$/,
    );
  });

  test('overrides that are not UTF-8 are not changed, and no command for text is suggested', async () => {
    const text = textOfBinary(Buffer.from('tools: {}\xff\n', 'latin1').toString('base64'));
    const failed = await inCluster(['shop/orders'], {}, { text }).catch((error: unknown) => String(error));
    expect(failed).toContain('this is not UTF-8');
    expect(failed).not.toContain('shows every error');
  });

  test('invalid overrides are not changed, and a command shows every error', async () => {
    await expect(inCluster(['shop/orders'], {}, { text: 'toolz: {}' })).rejects.toThrow(
      "this shows every error: kubectl -n kubernaut-system get configmap kubernaut-toolset-config -o jsonpath='{.data.overrides\\.yaml}' | dynamic-toolset validate --kind overrides -",
    );
  });

  test('before and behind many lines of tools, one line says how many they are and which tool has most of them', async () => {
    const tools = [...TOOLS, { name: 'flood', description: 'x\n'.repeat(4_000) }];
    const { messages } = await inCluster(['shop/orders'], {}, { tools });
    const lines = messages.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^shop\/orders: mcp, healthy \(.*\); 3 tools \(4,017 lines, 4,001 of them of flood\)$/,
    );
    expect(lines.at(-2)).toBe(lines[0]);
    expect(lines.at(-1)).toMatch(/^shop\/orders \(as mcp\) is approved in /);
    expect(lines).toHaveLength(4_017 + 3);
  });

  test('an approval of read-only tools before which the agent asks anyway says so', async () => {
    const tools = [...TOOLS, { name: 'get order' }];
    const { messages } = await inCluster(['shop/orders'], {}, { tools });
    expect(messages).toContain(
      '  (the agent asks before each tool, also the read-only ones: the tool name "get order" has other characters',
    );
  });

  test('an annotated Service is shown with what it says of itself', async () => {
    const { messages, overrides } = await inCluster(['shop/api']);
    expect(messages).toMatch(/^shop\/api: custom, .*\n {2}described to the agent as\n {16}\| Trust "me"\n/);
    expect(overrides).toContain('shop/api:\n    approved: custom\n');
  });

  test('without the list of its tools, an MCP server is approved without any of them', async () => {
    const { messages, overrides } = await inCluster(['shop/orders'], {}, { hasList: false });
    expect(messages).toMatch(
      /^shop\/orders: mcp, healthy \(.*\); its tools are unknown: its list got .*; the agent asks .* until you approve it again\n/,
    );
    expect(overrides).toBe(
      `# ours\ntools:\n  shop/orders:\n    approved: mcp\n    approvedTools: ${toolsShown({ tools: [] })}\n`,
    );
  });

  test('an MCP server without a ready Pod is shown as that, and approved', async () => {
    const { messages, overrides } = await inCluster(['shop/orders'], {}, { isReady: false });
    expect(messages).toMatch(/^shop\/orders: mcp, unhealthy \(.*ready.*\); its tools are unknown; /);
    expect(overrides).toContain('approved: mcp\n    approvedTools: sha256:');
  });

  test('--type is approved instead of the detected type', async () => {
    const { overrides, messages } = await inCluster(['shop/orders'], { type: 'custom' });
    expect(messages).toContain(
      'shop/orders is of type mcp now, so it is not published until it is of type custom.\n',
    );
    expect(overrides).toContain('approved: custom\n');
  });

  test('with --quiet, what is approved is shown, and nothing else', async () => {
    const loud = await inCluster(['shop/orders']);
    const { messages, overrides } = await inCluster(['shop/orders'], { quiet: true });
    expect(overrides).toBe(loud.overrides);
    expect(messages).toContain('may change    cancel_order\n');
    expect(messages).not.toContain('is approved');
    expect(loud.messages).toBe(`${messages}${loud.messages.split('\n').at(-2)}\n`);
  });

  test('of a Service that is approved already, nothing is said with --quiet', async () => {
    const { overrides: text } = await inCluster(['shop/orders']);
    const again = await inCluster(['shop/orders'], { quiet: true }, { text });
    expect([again.messages, again.writes]).toEqual(['', 0]);
    const loud = await inCluster(['shop/orders'], {}, { text });
    expect(loud.messages).toContain('may change    cancel_order\n');
    expect(loud.messages).toMatch(
      /shop\/orders \(as mcp\) is approved already in .*; nothing was changed\.\n$/,
    );
    const other = await inCluster(['shop/orders'], { quiet: true }, { text, tools: TOOLS.slice(1) });
    expect(other.messages).toContain('may change    cancel_order\n');
  });

  test('a Service that needs no approval gets none', async () => {
    const { code, messages, writes } = await inCluster(['shop/loki']);
    expect(messages).toMatch(
      /^shop\/loki: loki, [^;\n]*\nshop\/loki needs no approval, so none was written\.\n$/,
    );
    expect([code, writes]).toEqual([0, 0]);
    const { overrides } = await inCluster(['shop/loki', 'shop/orders']);
    expect(overrides).toContain('shop/orders:\n    approved: mcp\n');
    expect(overrides).not.toContain('loki');
    const named = await inCluster(['shop/loki'], { type: 'mcp' });
    expect(named.overrides).toContain('shop/loki:\n    approved: mcp\n');
  });

  test('a Service that is not a backend is approved only as an explicit type', async () => {
    const approving = inCluster(['shop/orders', 'shop/plain']);
    await expect(approving).rejects.toThrow(
      /^shop\/plain: not a backend at the moment; .* explain shop\/plain shows why\. .*--type mcp/,
    );
    const { messages, overrides } = await inCluster(['shop/plain'], { type: 'mcp' });
    expect(messages).toMatch(/^shop\/plain: not a backend at the moment/);
    expect(overrides).toContain('shop/plain:\n    approved: mcp\n');
  });

  test('a Service that does not exist is an error with a suggestion, and nothing is written', async () => {
    const approving = inCluster(['shop/order']);
    await expect(approving).rejects.toThrow(
      /there is no Service shop\/order; did you mean shop\/orders\? To approve a Service that does not exist yet, use --file$/,
    );
  });

  test('a Service of another namespace is no substitute for one that does not exist', async () => {
    await expect(inCluster(['shop/orders', 'ops/orders'])).rejects.toThrow(/no Service ops\/orders/);
  });

  test('a namespace that cannot be read is reported, and a Service in it is approved as any type', async () => {
    const { messages, overrides } = await inCluster(
      ['shop/orders', 'ops/x'],
      {},
      { refused: '/ops/services' },
    );
    expect(messages).toMatch(/warning: .*ops/);
    expect(overrides).toContain('shop/orders:\n    approved: mcp\n');
    expect(overrides).toContain('ops/x:\n    approved: true\n');
  });

  test('without the right to read Services, any type is approved, with a warning', async () => {
    const { messages, overrides } = await inCluster(['shop/orders'], {}, { refused: '/services' });
    expect(messages).toMatch(/^warning: cannot detect the type of these Services from here: .*shop.*\n/);
    expect(messages).toContain('shop/orders: the type is unknown here, so any type is approved');
    // The agent asks before each tool that was not shown.
    expect(overrides).toContain(`approved: true\n    approvedTools: ${NO_TOOLS_SHOWN}\n`);
    const { overrides: custom } = await inCluster(
      ['shop/orders'],
      { type: 'custom' },
      { refused: '/services' },
    );
    expect(custom).not.toContain('approvedTools');
  });

  const APPROVED = 'tools:\n  shop/orders:\n    approved: mcp\n';

  test.each(['shop/orders'])('a revocation needs no look at the Service (%s)', async (key) => {
    const text = APPROVED.replace('shop/orders', key);
    const { overrides, requests, messages } = await inCluster(['shop/orders'], { revoke: true }, { text });
    expect(overrides).toContain('approved: false\n');
    expect(messages).toMatch(
      /^shop\/orders is now refused in .*: it is not published, and nobody is asked to approve it; serve applies this within seconds\.\n$/,
    );
    expect(requests.filter((each) => !each.includes('/configmaps/'))).toEqual([]);
  });

  test('a Service that was not approved is refused, too', async () => {
    const { overrides, messages } = await inCluster(['shop/orders'], { revoke: true });
    expect(overrides).toContain('approved: false\n');
    expect(messages).toMatch(/^shop\/orders is now refused in /);
    const dry = await inCluster(['shop/orders'], { revoke: true, dryRun: true }, { text: APPROVED });
    expect(dry.messages).toMatch(/^Dry run: shop\/orders would be refused in /);
    const text = APPROVED.replace('mcp', 'false');
    const again = await inCluster(['shop/orders'], { revoke: true }, { text });
    expect(again.messages).toMatch(/^shop\/orders is refused already in .*; nothing was changed\.\n$/);
  });

  test('a revocation for a misspelt name is an error with a suggestion, and nothing is written', async () => {
    for (const name of ['shop/order', 'shp/orders'])
      await expect(inCluster([name], { revoke: true }, { text: APPROVED })).rejects.toThrow(
        /there is no .*sh.?o?p.*To refuse a Service that does not exist yet, use --file$/,
      );
  });

  test('without the right to read Services, a revocation is written, with a warning', async () => {
    const { messages, overrides } = await inCluster(
      ['shop/order'],
      { revoke: true },
      { text: APPROVED, refused: '/services' },
    );
    expect(messages).toMatch(/^warning: cannot check from here that these Services exist: /);
    expect(overrides).toContain('shop/order:\n    approved: false\n');
  });

  test('a dry run shows what it would write, and writes nothing', async () => {
    const { result, messages, writes } = await inCluster(['shop/orders'], { dryRun: true });
    expect(result).toContain('+    approved: mcp\n');
    expect(messages).toContain(
      'Dry run: shop/orders (as mcp) would be approved in overrides.yaml in ConfigMap kubernaut-system/',
    );
    expect(writes).toBe(0);
  });
});

test('a Service that is named twice is approved, and mentioned, once', async () => {
  const { messages } = await run(['shop/orders', 'shop/orders'], { file: '-' }, '');
  expect(messages.match(/shop\/orders is approved/g)).toHaveLength(1);
  expect(messages).not.toContain('shop/orders, shop/orders');
});

test.each([
  ['is not there: it is created', 'new.yaml', undefined],
  ['cannot be read', '.', /^cannot read .*; choose another file with --file$/],
  [
    'cannot be written',
    'no/such/folder.yaml',
    /^cannot write .*: the folder \S+no\/such does not exist; choose another file with --file$/,
  ],
])('a file that %s', async (_, name, message) => {
  const folder = await mkdtemp(join(tmpdir(), 'approve-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, name);
  const done = run(['shop/orders'], { file }, '');
  if (message !== undefined) {
    await expect(done).rejects.toThrow(message);
    return await expect(run(['shop/orders'], { file, dryRun: true }, '')).rejects.toThrow(message);
  }
  expect((await done).messages).toMatch(/^shop\/orders is approved in \S+new\.yaml, a new file\.\n/);
  expect(await readFile(file, 'utf8')).toBe('tools:\n  shop/orders:\n    approved: true\n');
});
