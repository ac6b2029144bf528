import { describe, expect, test } from 'vitest';
import { detected, discovered } from '../../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../../model/discovery.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import { publishedTool } from '../../planning/published-tool.ts';
import { discoveredTool } from '../../planning/tools.ts';
import { readTools } from './read-tools.ts';
import { toolsetJson, toolsetJsonSchema } from './toolset-json.ts';

const found = discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] }));
const published = (service: DiscoveredService): PublishedTool => publishedTool(discoveredTool(service));
const prometheus = published(found);

describe('toolset.json', () => {
  test('a tool has the fields of the first release', () => {
    const [tool] = toolsetJsonSchema.parse(JSON.parse(toolsetJson([prometheus]))).tools;
    expect(tool).toMatchObject({
      name: 'prometheus.monitoring',
      type: 'prometheus',
      endpoint: 'http://prometheus.monitoring.svc.cluster.local:9090',
      description: expect.stringContaining('PromQL'),
      namespace: 'monitoring',
      metadata: { service: 'prometheus' },
    });
  });

  test("its owner's text is marked", () => {
    const said = {
      name: 'Orders',
      type: 'orders-api',
      endpoint: 'https://shop:80/api',
      description: 'All orders',
    };
    const [tool] = toolsetJsonSchema.parse(
      JSON.parse(toolsetJson([published(discovered(offered('shop', said)))])),
    ).tools;
    expect(tool).toMatchObject({
      name: 'Orders',
      type: 'orders-api',
      endpoint: 'https://shop.monitoring.svc.cluster.local:80/api',
      description: expect.stringMatching(/owner.*All orders/),
    });
  });

  test('has the Services of the same backend', () => {
    const loki = { labels: { app: 'loki' }, ports: ['http:3100'] };
    const { candidates } = detected(
      service('loki-gateway', loki),
      service('loki-headless', { ...loki, headless: true }),
    );
    const [both] = candidates.map((candidate) => ({ ...candidate, verdict: found.verdict }));
    if (both === undefined) throw new Error('nothing found');
    expect(
      toolsetJsonSchema.parse(JSON.parse(toolsetJson([published(both)]))).tools[0]?.metadata,
    ).toMatchObject({
      service: 'loki-gateway',
      alternates: 'loki-headless',
    });
  });

  test('tools are in the given order', () => {
    const other = published(discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })));
    const order = (text: string): string[] =>
      toolsetJsonSchema.parse(JSON.parse(text)).tools.map(({ name }) => name);
    expect(order(toolsetJson([prometheus, other]))).toEqual(['prometheus.monitoring', 'loki.monitoring']);
    expect(order(toolsetJson([other, prometheus]))).toEqual(['loki.monitoring', 'prometheus.monitoring']);
  });

  test('two tools of one name are never written', () => {
    expect(() => toolsetJson([prometheus, prometheus])).toThrow(/one name/);
  });
});

describe('reading it back', () => {
  test('gives the tools that were written', () => {
    const tools = [prometheus, { ...prometheus, name: 'own', metadata: {} }];
    expect(readTools(toolsetJson(tools))).toEqual(tools);
  });

  test.each<[string | undefined, string[]]>([
    ['{"tools":[{"name":"a"},{"name":"b"}]}', ['a', 'b']],
    ['{"tools":[null,1,"x",{"name":2},{},{"name":"c","metadata":7,"namespace":1}]}', ['c']],
    ['{"tools":{"name":"a"}}', []],
    ['null', []],
    ['[]', []],
    ['', []],
    ['{', []],
    [undefined, []],
  ])('%s', (text, names) => {
    expect(readTools(text).map(({ name }) => name)).toEqual(names);
  });
});

describe('its schema', () => {
  const tool = { name: 'a', type: 'b', endpoint: 'http://c:1', description: 'd' };

  test.each<[string, unknown, boolean]>([
    ['a tool with the required fields', { tools: [tool] }, true],
    ['a tool with the optional fields', { tools: [{ ...tool, namespace: 'n', metadata: { k: 'v' } }] }, true],
    ['no tools', { tools: [] }, true],
    ['no list', {}, false],
    ['another key', { tools: [], more: 1 }, false],
    ['another field', { tools: [{ ...tool, more: 1 }] }, false],
    ['an endpoint that is no URL', { tools: [{ ...tool, endpoint: 'c port' }] }, false],
    ['the endpoint of a broker', { tools: [{ ...tool, endpoint: 'tcp://kafka.shop:9092' }] }, true],
    ['an endpoint of another protocol', { tools: [{ ...tool, endpoint: 'ftp://c' }] }, false],
    ['an empty endpoint', { tools: [{ ...tool, endpoint: '' }] }, false],
    ['an empty name', { tools: [{ ...tool, name: '' }] }, false],
    ['an empty type', { tools: [{ ...tool, type: '' }] }, false],
    ['an empty description', { tools: [{ ...tool, description: '' }] }, false],
    ['no endpoint', { tools: [{ ...tool, endpoint: undefined }] }, false],
    ['metadata that is no text', { tools: [{ ...tool, metadata: { k: 1 } }] }, false],
    ['one name twice', { tools: [tool, { ...tool, type: 'x' }] }, false],
  ])('%s', (_, document, valid) => {
    expect(toolsetJsonSchema.safeParse(document).success).toBe(valid);
  });
});
