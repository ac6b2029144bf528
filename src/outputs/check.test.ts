import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { generate } from './generate.ts';
import { OUTPUTS } from './registry.ts';

const { documents } = generate([
  discovered(service('prometheus', { labels: { app: 'prometheus' }, ports: [9090] })),
]);

describe('faults in published documents', () => {
  test('none in generated ones', () => {
    expect(OUTPUTS.faultsOf(documents)).toEqual([]);
  });

  test.each([
    ['toolset.json', '', /^toolset\.json, line 1, column 1: /],
    ['toolset.json', '{"tools": [', /^toolset\.json, line 1, column \d+: /],
    ['toolset.json', '{"tools": [{"name": "a"}]}', /^toolset\.json, line 1, column 12: tools\.0\./],
    ['custom_toolset.yaml', '', /^custom_toolset\.yaml, line 1, column 1: /],
    ['custom_toolset.yaml', 'toolsets: {}', /^custom_toolset\.yaml, line 1, column 1: .*no toolset/],
    ['custom_toolset.yaml', 'toolsets:\n  a.b: { enabled: true }', /line 2, column 3: .*dot/],
    ['custom_toolset.yaml', 'toolsets: [', /^custom_toolset\.yaml, line 1/],
    ['custom_toolset.yaml', 'toolsets:\n  loki: { enabled: true }', /line 2, column 3: toolsets\.loki: /],
    ['custom_toolset.yaml', 'toolsets:\n  kubernetes/core:', /line 2, column 3: .*mapping/],
    ['custom_toolset.yaml', '['.repeat(50_000), /^custom_toolset\.yaml, line 1/],
    ['toolset.json', '['.repeat(50_000), /^toolset\.json, line 1/],
    ['custom_toolset.yaml', '&a [*a, *a]', /^custom_toolset\.yaml, line 1/],
  ] as const)('%s as %j', (name, text, said) => {
    const faults = OUTPUTS.faultsOf({ ...documents, [name]: text });
    expect(faults.length).toBeGreaterThan(0);
    expect(faults[0]).toMatch(said);
  });
});
