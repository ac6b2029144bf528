import { expect, test } from 'vitest';
import { detect } from '../../src/detection/detect.ts';
import type { Overrides } from '../../src/model/overrides.ts';
import type { Service } from '../../src/model/service.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { type AdmissionPolicy, admissionOf } from '../../src/planning/admission.ts';
import { discovered, options, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';

const APPROVE: AdmissionPolicy = { mcpPolicy: 'approve', namespaces: ['monitoring', '*'] };
const overrides = (content: unknown): Overrides => overridesSchema.parse(content);

const first = {
  namespace: 'shop',
  selector: { app: 'orders' },
  labels: { app: 'mcp-server' },
  ports: ['mcp:8000'],
};
const orders = service('orders', { ...first, clusterIPs: ['10.96.0.7', 'fd00::7'] });
const admitted = (listed: string, ...services: Service[]): string[] => {
  const content = { holmesgpt: { mcp_servers: { mine: { config: { url: listed } } } } };
  return detect(services, rules, options).candidates.map((candidate) => {
    const found = { ...discovered(candidate.service), ...candidate };
    return `${found.service.name} ${admissionOf(found, APPROVE, overrides(content)).state}`;
  });
};

test.each([
  'http://orders.shop:8000//mcp',
  'http://orders.shop:8000/%6dcp',
  'http://orders.shop:9999/elsewhere',
  'http://orders.shop.svc.cluster.local/mcp2',
  'http://10.96.0.7:8080/mcp',
  'http://[fd00:0::7]:8080/mcp',
  'http://orders.shop:{{ env.PORT }}/mcp?key={{ env.KEY }}',
])('a listed URL matches its Service in any spelling, with any port and path: %s', (listed) => {
  expect(admitted(listed, orders)).toEqual(['orders listed']);
});

test.each([
  'http://orders.other:8000/mcp',
  'http://10.96.0.8:8080/mcp',
  'http://x-orders.shop:8000/mcp',
  'http://{{ env.HOST }}/mcp',
  'http://orders.shop.svc.clusterset.local:8000/mcp',
])('a listed URL with another host is another server: %s', (listed) => {
  expect(admitted(listed, orders)).toEqual(['orders waiting']);
});

test.each([
  ['with the same selector', { app: 'orders' }],
  ['with one entry more', { app: 'orders', tier: 'web' }],
])(
  'a listed server also covers another Service of its Pods, %s, whatever happens to the first',
  (_, selector) => {
    const optedOut = { ...orders, annotations: { 'kubernaut.io/toolset': 'false' } };
    for (const listed of ['http://orders.shop:8000/mcp', 'http://10.96.0.7/mcp'])
      for (const original of [orders, optedOut]) {
        const states = admitted(listed, original, service('zebra', { ...first, selector }));
        expect(states.filter((text) => !text.endsWith(' listed'))).toEqual([]);
        expect(states.length).toBeGreaterThan(0);
      }
    const other = service('zebra', { ...first, selector: { app: 'other' } });
    expect(admitted('http://orders.shop/mcp', orders, other)).toContain('zebra waiting');
  },
);
