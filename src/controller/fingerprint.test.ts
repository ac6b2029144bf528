import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService, Verdict } from '../model/discovery.ts';
import { fingerprint } from './fingerprint.ts';

const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
const other = (parts: Partial<DiscoveredService>): string => fingerprint([{ ...loki, ...parts }]);
const judged = (parts: Partial<Verdict>): string => other({ verdict: { ...loki.verdict, ...parts } });

test.each<[string, string]>([
  ['another Service', other({ service: { ...loki.service, name: 'x' } })],
  ['another cluster', other({ service: { ...loki.service, cluster: 'x' } })],
  ['another namespace', other({ service: { ...loki.service, namespace: 'x' } })],
  ['tool', other({ tool: 'x' })],
  ['type', other({ type: 'x' })],
  ['detector', other({ detector: 'x' })],
  ['kind', other({ kind: 'x' })],
  ['endpoint', other({ endpoint: { ...loki.endpoint, path: '/x' } })],
  ['mode', other({ mode: 'sse' })],
  ['description', other({ description: 'x' })],
  ['whose words they are', other({ tenantDescription: !loki.tenantDescription })],
  ['certainty', other({ certainty: 'hint' })],
  ['what it comes with', other({ bundledWith: 'x' })],
  ['alternates', other({ alternates: ['x'] })],
  ['newcomers', other({ newcomers: ['x'] })],
  ['the Services of its Pods', other({ samePods: ['x'] })],
  ['the Services that may have its Pods', other({ sharesPods: ['x'] })],
  ['where it leads', other({ targets: ['x.example'] })],
  ['addresses', other({ clusterIPs: { x: ['10.0.0.1'] } } as never)],
  ['health', judged({ health: 'unhealthy' })],
  ['credentials that it wants', judged({ authRequired: true })],
  ['a tenant that it wants', judged({ tenantRequired: true })],
  ['certificate', judged({ certificate: 'x' } as never)],
  ['facts', judged({ facts: { a: 'b' } })],
  ['tools', judged({ tools: [{ name: 'x', readOnly: true, digest: '1' }] })],
  ['tools that are cut', judged({ toolsTruncated: true })],
])('includes everything that affects publication: %s', (_, print) => {
  expect(print).not.toBe(fingerprint([loki]));
});

test('is the same each time, also for lists that several Services share', () => {
  const shared = { sharesPods: ['x'] };
  expect(other(shared)).toBe(other(shared));
  expect(other(shared)).toBe(other({ sharesPods: ['x'] }));
});

test.each<[string, string]>([
  ['the words of a verdict', judged({ reason: 'x' })],
  ['how the endpoint was asked', judged({ steps: [{ asked: 'a', answered: 'b' }] })],
  ['evidence', other({ evidence: [] })],
])('excludes everything else: %s', (_, print) => {
  expect(print).toBe(fingerprint([loki]));
});
