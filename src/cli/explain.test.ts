import { Readable } from 'node:stream';
import { json as jsonOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { httpBackend } from '../../test/fixtures/unit/server.ts';
import { explainCommand } from './explain.ts';

/** What `explain` says of the Service `d/a` in a manifest. */
async function explained(object: object, env: Record<string, string> = {}): Promise<string> {
  let text = '';
  const result = { write: (written: string) => (text += written) };
  const run = {
    env,
    stdin: Readable.from([JSON.stringify(object)]),
    output: { result, messages: { write: () => true } },
    version: '0.0.0',
    signal: new AbortController().signal,
  };
  await explainCommand('d/a', { filename: ['-'], output: 'text' }, run);
  return text;
}

const service = (many: number): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'a',
    namespace: 'd',
    labels: Object.fromEntries(Array.from({ length: many }, (_, n) => [`k${n}`, 'v'])),
  },
  spec: { ports: Array.from({ length: many }, (_, n) => ({ name: `p${n}`, port: 20_000 + n })) },
});

test('explain says how many of very many ports and labels are considered', async () => {
  const text = await explained(service(500));
  expect(text).toContain('it has 500 ports, but only 64 are considered, first those that rules name');
  expect(text).toContain('it has 500 labels, but only 50 are considered');
});

test('explain does not mention it if all are considered', async () => {
  expect(await explained(service(10))).not.toContain('looked at');
});

test('a Service that does not exist is named once, with where it was looked for in manifests', async () => {
  await expect(explained({ ...service(1), metadata: { name: 'b', namespace: 'other' } })).rejects.toThrow(
    'there is no Service d/a in standard input; the namespace d has none',
  );
});

test('explain says that a disabled detector would match', async () => {
  const grafana = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'd', labels: { 'app.kubernetes.io/name': 'grafana' } },
    spec: { ports: [{ name: 'http', port: 3000 }] },
  };
  const text = await explained(grafana, { ENABLE_GRAFANA: 'false' });
  expect(text).toContain('✘ grafana          it would match (label app.kubernetes.io/name=grafana)');
  expect(text).toContain(
    'left out: the detector grafana would match, but the configuration switches it off (ENABLE_GRAFANA=false)',
  );
});

const prometheus = (spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'a', namespace: 'd', labels: { 'app.kubernetes.io/component': 'prometheus' } },
  spec,
});

test('explain says what to do for a Service with another port than those of its product', async () => {
  const text = await explained(prometheus({ ports: [{ name: 'foo', port: 4242 }] }));
  expect(text).toContain(
    "not a backend: none of its ports is one of Prometheus's; if it is one, give prometheus and its URL as type and endpoint of d/a under tools in overrides.yaml",
  );
});

test('explain names the setting that allows ExternalNames', async () => {
  const text = await explained(prometheus({ type: 'ExternalName', externalName: 'x.example.com' }));
  expect(text).toMatch(
    /left out: it is of type ExternalName, .*; to allow all of these, set ALLOW_EXTERNAL_NAMES/,
  );
});

test('the override that explain gives for an ExternalName has the type and the port of its Service', async () => {
  const text = await explained({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'd', labels: { 'app.kubernetes.io/name': 'loki' } },
    spec: { type: 'ExternalName', externalName: 'loki.example.com', ports: [{ name: 'http', port: 3100 }] },
  });
  expect(text).toMatch(
    /:\n {4}tools:\n {6}d\/a:\n {8}type: loki\n {8}endpoint: "http:\/\/loki\.example\.com:3100"\n$/,
  );
});

test('what a name, a role and a port say about the product decides the advice', async () => {
  const named = (name: string, port: number): object => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'd', labels: { app: 'loki-thing', 'app.kubernetes.io/name': name } },
    spec: { ports: [{ name: 'foo', port }] },
  });
  const tempo = await explained(named('tempo', 4242));
  expect(tempo).toContain("Verdict\n  not a backend: none of its ports is one of Tempo's");
  expect(tempo.split('What you can do')[1]).toMatch(
    /^\n {2}If it is tempo on another port.*\n.*\n.*\n {8}type: tempo\n/,
  );
  const exporter = await explained(named('prometheus-node-exporter', 9100));
  expect(exporter.split('What you can do')[1]).not.toMatch(/toolset-type|type: prometheus/);
});

/** Starts an MCP server that offers these tools, all declared read-only. @returns its port */
async function mcpServer(names: readonly string[]): Promise<number> {
  const tools = names.map((name) => ({ name, annotations: { readOnlyHint: true } }));
  const { port } = await httpBackend(async (request, response) => {
    const { method = '' } = ((await jsonOf(request).catch(() => ({}))) ?? {}) as { method?: string };
    const results: Record<string, object> = {
      initialize: { protocolVersion: '2025-06-18', serverInfo: { name: 'x' } },
      'tools/list': { tools },
    };
    if (results[method] === undefined) return void response.writeHead(202).end();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: results[method] }));
  });
  return port;
}

/** What `explain` says of the MCP server `shop/orders` with these tools. */
async function explainedServer(
  names: readonly string[],
  mcpPolicy: string,
  output: 'text' | 'json' = 'text',
) {
  const manifest = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'orders', namespace: 'shop', labels: { app: 'mcp-server' } },
    spec: { selector: { app: 'orders' }, ports: [{ name: 'mcp', port: 8000 }] },
  };
  const { cli, written } = cliContext({
    env: {
      MCP_POLICY: mcpPolicy,
      PROBE: 'direct',
      CONNECT_TO: `orders.shop.svc.cluster.local:8000:127.0.0.1:${await mcpServer(names)}`,
    },
    stdin: Readable.from([JSON.stringify(manifest)]),
  });
  await explainCommand('shop/orders', { filename: ['-'], output }, cli);
  return written.result;
}

test.each([
  ['whose name is too long', ['x'.repeat(65)], 'approve', 'has more than 64 characters)'],
  [
    'whose name has an invisible character',
    ['get', 'put\u200b'],
    'approve',
    'the tool name "put\\u{200b}" has other characters than letters, digits and _./-)',
  ],
  [
    'whose names need too many patterns',
    Array.from({ length: 200 }, (_, n) => `${n * 7919}-does-something`),
    'approve',
    'the names of its tools need more than 24 KiB of patterns)',
  ],
  [
    'of a server that nobody approved',
    ['get'],
    'publish',
    'it is published only because MCP_POLICY is publish)',
  ],
])('explain says that the agent asks before read-only tools, too: %s', async (_, names, policy, why) => {
  const text = await explainedServer(names, policy);
  expect(text).toMatch(/\n {2}\(the agent asks before each tool, also the read-only ones: /);
  expect(text).toContain(why);
  expect(JSON.parse(await explainedServer(names, policy, 'json')).asksBeforeEach).toEqual(expect.any(String));
});

test('the path of an API is said with who serves it there', async () => {
  expect(await explainedServer(['get'], 'approve')).toMatch(
    /\n {2}path +\/mcp \(where MCP servers serve their API\)\n/,
  );
});

test('explain does not say so where the agent asks before the others only', async () => {
  expect(await explainedServer(['get', 'list'], 'approve')).toContain('read-only,  runs unasked  get\n');
  expect(await explainedServer(['get', 'list'], 'approve')).not.toContain('the agent asks');
});
