import { describe, expect, test } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { approximateServices, generateWithHeld, reconstructServices } from './held.ts';
import { toolKinds } from './pass.ts';

test('the published state has the order in which Services were created, so it can be reconstructed', () => {
  const loki = (namespace: string, created: string) => {
    const found = discovered(service('loki', { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }));
    return { ...found, service: { ...found.service, created } };
  };
  const found = [loki('a', '2026-02-01T00:00:00Z'), loki('b', '2026-01-01T00:00:00Z')];
  const options = {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: NO_OVERRIDES,
    kinds: toolKinds(rules),
  } as const;
  const { documents } = generate(found, options);
  expect(documents['custom_toolset.yaml']).toMatch(/loki\.b.*loki\.a/s);
  expect([...(reconstructServices(toolset(documents), options, OUTPUTS)?.keys() ?? [])]).toEqual([
    'loki.a',
    'loki.b',
  ]);
});

test('an inexact reconstruction is held by itself, and does not block other publications', () => {
  const loki = (namespace: string) =>
    discovered(service('loki', { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }));
  const options = {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: NO_OVERRIDES,
    kinds: toolKinds(rules),
  } as const;
  const { documents } = generate([loki('a'), loki('b')], options);
  const edited = { ...documents, 'custom_toolset.yaml': `${documents['custom_toolset.yaml']}# other\n` };
  expect(reconstructServices(toolset(edited), options, OUTPUTS)).toBeUndefined();
  const known = approximateServices(toolset(edited).tools, ['loki.a'], options.kinds);
  const result = generateWithHeld(['loki.a'], [loki('c')], known, options, OUTPUTS);
  const { tools } = JSON.parse(result?.generated.documents['toolset.json'] ?? '{}');
  expect(tools.map(({ name }: { name: string }) => name)).toEqual(['loki.a', 'loki.c']);
});

describe('held tools', () => {
  const OPTIONS = {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: NO_OVERRIDES,
    kinds: toolKinds(rules),
  } as const;
  const loki = (name: string, fields: Parameters<typeof service>[1] = {}) =>
    discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'], ...fields }));
  const toolsIn = (documents: Documents | undefined): Record<string, string>[] =>
    JSON.parse(documents?.['toolset.json'] ?? '{}').tools;

  const mcp = discovered(service('a', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));

  test.each<[string, DiscoveredService]>([
    ['HTTP at its own port', loki('loki', { ports: ['http:80'] })],
    ['HTTPS at its own port', discovered(offered('a', { type: 'grafana' }, { ports: ['https:443'] }))],
    [
      'a path',
      discovered(offered('a', { type: 'prometheus', path: '/prometheus' }, { ports: ['web:9090'] })),
    ],
    ['an MCP server', mcp],
    [
      'an MCP server with server-sent events',
      { ...mcp, mode: 'sse', endpoint: { ...mcp.endpoint, path: '/sse' } },
    ],
    ['an MCP server with a slash at the end', { ...mcp, endpoint: { ...mcp.endpoint, path: '/mcp/' } }],
    ['a type of its owner', discovered(offered('a', { type: 'orders-api', description: 'Orders.' }))],
    ['a display name', discovered(offered('a', { type: 'loki', name: 'logs' }, { ports: ['http:3100'] }))],
    ['a time of creation', loki('loki', { created: '2026-01-01T00:00:00Z' })],
    ['several Services', { ...loki('loki'), alternates: ['loki-gateway', 'loki-read'] }],
    ['another cluster', loki('loki', { cluster: 'far' })],
    ['a part of another product', { ...loki('loki'), bundledWith: 'Netdata' }],
    ['a tenant in a header', { ...loki('loki'), verdict: { ...loki('loki').verdict, tenantRequired: true } }],
    [
      'a tenant in its path',
      loki('loki', {
        labels: { app: 'loki', 'app.kubernetes.io/component': 'lokistack-gateway' },
        annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'tls' },
      }),
    ],
  ])('are reconstructed exactly from the published state: %s', (_, found) => {
    const { documents } = generate([found], OPTIONS);
    const known = reconstructServices(toolset(documents), OPTIONS, OUTPUTS);
    expect([...(known?.keys() ?? [])]).toEqual([found.tool]);
    expect(generateWithHeld([found.tool], [], known, OPTIONS, OUTPUTS)?.generated.documents).toEqual(
      documents,
    );
  });

  test('get the credentials of their type', () => {
    const credentials = { loki: { namespaces: ['monitoring'], bearerToken: 'LOKI_TOKEN' } };
    const options = { ...OPTIONS, credentials };
    const { documents } = generate([loki('loki')], options);
    expect(documents['custom_toolset.yaml']).toContain('LOKI_TOKEN');
    const known = approximateServices(toolset(documents).tools, ['loki.monitoring'], options.kinds);
    const result = generateWithHeld(['loki.monitoring'], [], known, options, OUTPUTS);
    expect(result?.generated.documents).toEqual(documents);
  });

  test('are known beside custom tools', () => {
    const overrides = overridesSchema.parse({
      tools: { mine: { type: 'custom', endpoint: 'http://mine:80', description: 'Mine.' } },
    });
    const options = { ...OPTIONS, overrides };
    const { documents } = generate([loki('loki')], options);
    expect(toolsIn(documents)).toHaveLength(2);
    expect([...(reconstructServices(toolset(documents), options, OUTPUTS)?.keys() ?? [])]).toEqual([
      'loki.monitoring',
    ]);
  });

  test('are as published, even if they are found in another state', () => {
    const { documents } = generate([loki('loki')], OPTIONS);
    const known = reconstructServices(toolset(documents), OPTIONS, OUTPUTS);
    const now = [loki('loki', { ports: ['http:80'] }), loki('other')];
    const result = generateWithHeld(['loki.monitoring'], now, known, OPTIONS, OUTPUTS);
    expect(toolsIn(result?.generated.documents).map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ['loki.monitoring', expect.stringContaining(':3100')],
      ['other.monitoring', expect.stringContaining(':3100')],
    ]);
  });

  test('are generated only if all of them are known', () => {
    const { documents } = generate([loki('loki')], OPTIONS);
    const known = reconstructServices(toolset(documents), OPTIONS, OUTPUTS);
    expect(
      generateWithHeld(['loki.monitoring', 'gone.monitoring'], [], known, OPTIONS, OUTPUTS),
    ).toBeUndefined();
    expect(generateWithHeld(['loki.monitoring'], [], undefined, OPTIONS, OUTPUTS)).toBeUndefined();
  });

  test('are approximated from those published tools that are requested and have a URL', () => {
    const { documents } = generate([loki('a'), loki('b')], OPTIONS);
    const [a, b] = toolset(documents).tools as [PublishedTool, PublishedTool];
    const published = [a, { ...b, endpoint: 'nowhere' }];
    const rough = (...names: string[]) => [...approximateServices(published, names, OPTIONS.kinds).keys()];
    expect(rough('b.monitoring')).toEqual([]);
    expect(rough('a.monitoring', 'b.monitoring')).toEqual(['a.monitoring']);
    expect(approximateServices([a, b], ['b.monitoring'], OPTIONS.kinds).size).toBe(1);
  });

  test('are approximated without their metadata and their detector, as another version may have published them', () => {
    const { documents } = generate([loki('a')], OPTIONS);
    const [published] = toolset(documents).tools as [PublishedTool];
    const options = { ...OPTIONS, kinds: new Map() };
    const known = approximateServices([{ ...published, metadata: {} }], ['a.monitoring'], options.kinds);
    const result = generateWithHeld(['a.monitoring'], [], known, options, OUTPUTS);
    const { name, type, endpoint, description } = published;
    expect(toolsIn(result?.generated.documents)).toMatchObject([
      { name, type, endpoint, description, metadata: { service: name, certainty: 'name' } },
    ]);
    expect(known.get(name)?.kind).toBe(description);
  });
});
