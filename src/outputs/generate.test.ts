import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { generate } from './generate.ts';
import { holmesSchema } from './holmesgpt/contract/schema.ts';
import { toolsetJsonSchema } from './toolset-json/toolset-json.ts';

const SEVERAL: readonly DiscoveredService[] = [
  discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] })),
  discovered(service('prometheus', { namespace: 'team-a', labels: { app: 'prometheus' }, ports: [9090] })),
  discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }), 'unknown'),
  discovered(service('tempo', { labels: { app: 'tempo' }, ports: [3200] }), 'auth'),
  discovered(service('grafana', { labels: { app: 'grafana' }, ports: [3000] })),
  discovered(service('jaeger', { annotations: { 'jaeger.io/enabled': 'true' }, ports: ['query:16686'] })),
  discovered(service('es', { labels: { app: 'elasticsearch' }, ports: ['https:9200'] })),
  discovered(
    offered('shop', {
      description: 'Orders {{ env.SECRET }}',
      name: 'Orders',
      endpoint: 'http://shop:80/api/v1.0',
    }),
  ),
  discovered(offered('stock', { type: 'stock-api' })),
];

const namesIn = (json: string): string[] =>
  (JSON.parse(json) as { tools: { name: string }[] }).tools.map(({ name }) => name);

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(keysOf);
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

describe('generate', () => {
  test('the same services in any order give the same bytes', () => {
    const wanted = generate(SEVERAL);
    fc.assert(
      fc.property(fc.shuffledSubarray([...SEVERAL], { minLength: SEVERAL.length }), (shuffled) => {
        expect(generate(shuffled)).toEqual(wanted);
      }),
    );
  });

  test('the input is not changed', () => {
    const given = [...SEVERAL].reverse();
    const before = structuredClone(given);
    generate(given);
    expect(given).toEqual(before);
  });

  test('each document matches its own schema, for any choice of services', () => {
    fc.assert(
      fc.property(fc.subarray([...SEVERAL]), (some) => {
        const { documents, tools } = generate(some);
        const { tools: listed } = toolsetJsonSchema.parse(JSON.parse(documents['toolset.json'] ?? ''));
        expect(listed).toEqual(tools);
        holmesSchema.parse(parse(documents['custom_toolset.yaml'] ?? ''));
      }),
    );
  });

  test('no key of custom_toolset.yaml has a dot, which HolmesGPT rejects', () => {
    const keys = keysOf(parse(generate(SEVERAL).documents['custom_toolset.yaml'] ?? ''));
    expect(keys).toContain('prometheus/metrics');
    expect(keys.filter((key) => key.includes('.'))).toEqual([]);
  });

  test('an unhealthy service is left out of all documents, and of the count', () => {
    const dead = discovered(service('dead', { labels: { app: 'prometheus' }, ports: [9090] }), 'unhealthy');
    const [all, without] = [generate([...SEVERAL, dead]), generate(SEVERAL)];
    expect(all).toEqual({ ...without, unhealthy: ['monitoring/dead'] });
    expect(generate([dead]).tools).toEqual([]);
  });

  test('a service with unknown health, or that requires credentials, is a tool', () => {
    const { documents } = generate(SEVERAL);
    expect(namesIn(documents['toolset.json'] ?? '')).toEqual(
      expect.arrayContaining(['loki.monitoring', 'tempo.monitoring']),
    );
  });

  test('without services, the toolset is empty and the file loads', () => {
    const { documents, tools, notes } = generate([]);
    expect({ tools, notes }).toEqual({ tools: [], notes: [] });
    expect(JSON.parse(documents['toolset.json'] ?? '')).toEqual({ tools: [] });
    const { toolsets } = holmesSchema.parse(parse(documents['custom_toolset.yaml'] ?? ''));
    expect(Object.keys(toolsets).length).toBeGreaterThan(0);
    for (const name of Object.keys(toolsets)) expect(name).toMatch(/^kubernetes\//);
  });

  test('each document ends in one line break', () => {
    for (const text of Object.values(generate(SEVERAL).documents)) expect(text).toMatch(/[^\n]\n$/);
  });
});
