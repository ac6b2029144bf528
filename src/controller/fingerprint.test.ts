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
  ['alternates', other({ alternates: ['x'] })],
  ['health', judged({ health: 'unhealthy' })],
  ['credentials that it wants', judged({ authRequired: true })],
  ['facts', judged({ facts: { a: 'b' } })],
])('includes everything that affects publication: %s', (_, print) => {
  expect(print).not.toBe(fingerprint([loki]));
});

test.each<[string, string]>([
  ['the words of a verdict', judged({ reason: 'x' })],
  ['how the endpoint was asked', judged({ steps: [{ asked: 'a', answered: 'b' }] })],
  ['evidence', other({ evidence: [] })],
])('excludes everything else: %s', (_, print) => {
  expect(print).toBe(fingerprint([loki]));
});
