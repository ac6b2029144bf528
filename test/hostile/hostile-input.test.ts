/** What tenants, files and servers may try, or get wrong, and what must not come of it. */

import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { givenSettings, readSettings } from '../../src/config/settings.ts';
import type { KubeClient } from '../../src/kubernetes/connection.ts';
import { UserError } from '../../src/model/errors.ts';
import { probeSpec } from '../../src/model/proof.ts';
import { generate } from '../../src/outputs/generate.ts';
import { plan } from '../../src/planning/plan.ts';
import { whyForbidden } from '../../src/probing/address.ts';
import { directFetch } from '../../src/probing/direct.ts';
import { createProber } from '../../src/probing/prober.ts';
import { proxyFetch } from '../../src/probing/proxy.ts';
import { filePublisher } from '../../src/publishers/file/file-publisher.ts';
import { parseManifest } from '../../src/sources/manifest-text.ts';
import { candidate, detected, discovered } from '../fixtures/unit/detection.ts';
import { rawBackend } from '../fixtures/unit/server.ts';
import { offered, service } from '../fixtures/unit/service.ts';
import { toolset } from '../fixtures/unit/toolset.ts';

const { signal } = new AbortController();

test('a backend that switches protocols does not block the pass', async () => {
  const backend = await rawBackend((socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
  );
  const p = candidate(service('p', { labels: { app: 'prometheus' }, ports: [9090] }));
  const kinds = [{ detector: 'prometheus', title: 'P', path: '', spec: probeSpec.parse({}) }];
  const prober = createProber(
    kinds,
    { fetch: directFetch(backend.standsFor(p)) },
    { concurrency: 1, timeout: 300 },
  );
  expect((await prober.probe(p, signal)).health).toBe('unhealthy');
}, 2_000);

test.each(['/{{env.SECRET}}', '/x?y={{ env.SECRET }}'.replaceAll(' ', ''), '/a#b', '/../x'])(
  "a tenant's MCP path %j has no template, query, fragment or parent segment",
  (path) => {
    const annotations = { 'kagent.dev/mcp-service-path': path };
    const server = discovered(
      service('w', { labels: { app: 'mcp-server' }, annotations, ports: ['mcp:8000'] }),
    );
    const url = Object.values(
      parse(generate([server]).documents['custom_toolset.yaml'] ?? '').mcp_servers as object,
    )[0].config.url;
    expect(url).not.toMatch(/\{\{|[?#]|\.\./);
  },
);

test.each([70_000, 9090.5, -1])('a target port %d does not block the publication of others', (targetPort) => {
  const text = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'prometheus', labels: { app: 'prometheus' } },
    spec: { clusterIP: 'None', ports: [{ port: 9090, targetPort }] },
  });
  const { candidates } = detected(...parseManifest(text, 'f', 'd').services.map(({ service }) => service));
  const verdict = discovered(service('x', { labels: { app: 'loki' }, ports: [3100] })).verdict;
  expect(() => generate(candidates.map((c) => ({ ...c, verdict })))).not.toThrow();
});

test('an endpoint is written unchanged, including dollar signs', () => {
  const d = discovered(offered('svc', { type: 'prometheus', endpoint: 'http://svc:80/$&x$$y' }));
  expect(generate([d]).documents['custom_toolset.yaml']).toContain('svc.cluster.local:80/$&x$$y');
});

test.each(['&a\nkind: List\nitems: [*a]\n', '&a [*a]\n'])(
  'a recursive manifest is a problem, not a crash: %j',
  (text) => {
    const { services } = parseManifest(
      `${text}---\napiVersion: v1\nkind: Service\nmetadata: { name: a }\n`,
      'f',
      'd',
    );
    expect(services).toHaveLength(1);
  },
);

test('the port in an endpoint annotation is enough', () => {
  const { candidates } = detected(
    offered('svc', { endpoint: 'http://svc:8081' }, { ports: ['grpc:9095', 'rest:8081'] }),
  );
  expect(candidates.map(({ endpoint }) => endpoint.port)).toEqual([8081]);
});

test('the port follows the type in the annotation', () => {
  expect(
    candidate(offered('svc', { type: 'prometheus' }, { ports: ['http:8000', 'web:9090'] })).endpoint.port,
  ).toBe(9090);
  expect(
    detected(offered('svc', { type: 'prometheus' }, { ports: ['x:8000', 'y:9090'] })).candidates,
  ).toHaveLength(1);
});

test('an annotated Service that is left out is reported', () => {
  expect(detected(offered('svc', {}, { ports: ['x:8000', 'y:9090'] })).problems).not.toEqual([]);
});

test('a message has no control or direction characters of a tenant', () => {
  const { problems } = detected(offered('svc', { name: 'a\u009b31m\u202e\u007f' }));
  expect(problems[0]?.what).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a Unicode line separator does not start a document', () => {
  const text = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations: { x: "a\u2028--- b" }\n';
  expect(parseManifest(text, 'f', 'd').services).toHaveLength(1);
});

test('a YAML directive does not break a document', () => {
  expect(
    parseManifest('%YAML 1.2\n---\napiVersion: v1\nkind: Service\nmetadata: { name: a }\n', 'f', 'd')
      .problems,
  ).toEqual([]);
});

test("one tenant's endpoint cannot fill the ConfigMap", () => {
  const { candidates } = detected(offered('svc', { endpoint: `http://svc:80/${'a'.repeat(200_000)}` }));
  for (const { endpoint } of candidates) expect(endpoint.path.length).toBeLessThanOrEqual(512);
});

test.each([
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
  '::ffff:0:127.0.0.1',
  '::ffff:100.100.100.200',
])('metadata and hidden addresses are rejected: %s', (address) => expect(whyForbidden(address)).toBeTruthy());

test.each(['127.1', '2130706433', '', 'localhost'])(
  'a value that is not a numeric address is rejected: %j',
  (address) => {
    expect(whyForbidden(address)).toBeTruthy();
  },
);

test.each(['a:1:b:99999', 'a:1:b:0', 'a:99999:b:1'])('--connect-to %s is rejected', (connectTo) => {
  expect(() => readSettings(givenSettings({ connectTo }, {}))).toThrow(UserError);
});

test.each([' , ', ','])('NAMESPACES=%j is not "all namespaces"', (NAMESPACES) => {
  let namespaces: readonly string[] = [];
  try {
    ({ namespaces } = readSettings(givenSettings({}, { NAMESPACES })));
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
  expect(namespaces).not.toEqual(['*']);
});

describe('a file', () => {
  const offered = toolset({ 'toolset.json': '{}\n', 'custom_toolset.yaml': 'a: 1\n' });
  const published = async (text: string): Promise<string> => {
    const path = join(await mkdtemp(join(tmpdir(), 'faults-')), 'cm.yaml');
    await writeFile(path, text);
    const quiet = { usual: 0, unfinished: 0 };
    const publisher = filePublisher(path, { name: 'n', namespace: 'ns' }, undefined, quiet);
    const planned = plan(offered, await publisher.read(signal), '1');
    await publisher.apply(planned, new Date(0), signal);
    return await readFile(path, 'utf8');
  };

  test('with an alias to one of our values keeps the other value, or is rejected', async () => {
    const text =
      'kind: ConfigMap\nmetadata: { name: x }\ndata:\n  toolset.json: &t old\n  overrides.yaml: *t\n';
    const after = await published(text).catch((error: unknown) => error);
    if (typeof after === 'string') expect(parse(after).data['overrides.yaml']).toBe('old');
    else expect(after).toBeInstanceOf(UserError);
  });

  test('with an alias for a whole part is written, or rejected with a message', async () => {
    const after = await published(
      'kind: ConfigMap\nmetadata: { labels: &l { a: b }, annotations: *l }\n',
    ).catch((error: unknown) => error);
    if (typeof after !== 'string') expect(after).toBeInstanceOf(UserError);
  });

  test('of JSON stays JSON', async () => {
    const after = await published(
      '{"kind":"ConfigMap","metadata":{"name":"x"},"data":{"overrides.yaml":"a"}}',
    );
    expect(() => JSON.parse(after)).not.toThrow();
  });

  test.each([
    'kind: ConfigMap\nmetadata: { name: x }\ndata:\n',
    'kind: ConfigMap\nmetadata:\n  name: x\n  labels:\n',
  ])('with an empty part is a ConfigMap like any other: %j', async (text) =>
    expect(parse(await published(text)).data['toolset.json']).toBe('{}\n'),
  );
});

test.each(['/../../../../../../api/v1/secrets', '/a/../../b', '/%2e%2e/x'])(
  'no health path %s leads to a parent path',
  (path) => {
    expect(detected(offered('svc', { 'health-path': path })).candidates[0]?.healthPath).toBeUndefined();
  },
);

test('the proxy does not reach the Service in place of another host', async () => {
  const shop = candidate(offered('shop'));
  const asked: string[] = [];
  const kube = {
    raw: ({ path }: { path: string }) => {
      asked.push(path);
      return Promise.resolve({ status: 200, headers: {}, body: '' });
    },
  } as unknown as KubeClient;
  const elsewhere = { ...shop, endpoint: { ...shop.endpoint, host: 'api.example.com', port: 443 } };
  await proxyFetch(kube)(elsewhere, { path: '/' }, signal).catch(() => {});
  expect(asked).toEqual([]);
});

test('a role is listed once', () => {
  const { evidence } = candidate(
    service('loki-gateway', {
      labels: { 'app.kubernetes.io/name': 'loki', 'app.kubernetes.io/component': 'gateway' },
      ports: ['http-metrics:80'],
    }),
  );
  expect(evidence.filter(({ signal }) => signal === 'role')).toHaveLength(1);
});

test.each(['//', '/\\[', '//[x'])(
  'a health path %s does not end the pass through the proxy',
  async (healthPath) => {
    const shop = candidate(offered('shop', { 'health-path': healthPath }));
    const kube = {
      raw: () => Promise.resolve({ status: 200, headers: {}, body: '' }),
    } as unknown as KubeClient;
    const kinds = [{ detector: 'custom', title: 'C', path: '', spec: probeSpec.parse({}) }];
    const prober = createProber(kinds, { fetch: proxyFetch(kube) }, { concurrency: 1, timeout: 300 });
    await expect(prober.probe(shop, signal)).resolves.toBeDefined();
  },
);

test('an empty list of headers is no credential', async () => {
  const { credentialsByBackend } = await import('../../src/model/credentials.ts');
  expect(credentialsByBackend.safeParse({ jaeger: { headers: {} } }).success).toBe(false);
});

test('an empty list of namespaces in a configuration file is not "all namespaces"', () => {
  let namespaces: readonly string[] = [];
  try {
    ({ namespaces } = readSettings(
      givenSettings({}, {}, [{ texts: { namespaces: '' }, origin: () => 'config.yaml' }]),
    ));
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
  expect(namespaces).not.toEqual(['*']);
});
