import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { fingerprint } from './fingerprint.ts';

const found = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
const { verdict } = found;

test.each<[string, Partial<DiscoveredService>]>([
  ['alternates', { alternates: ['loki-read'] }],
  ['the Service', { service: { ...found.service, name: 'other' } }],
  ['the namespace', { service: { ...found.service, namespace: 'other' } }],
  ['the tool', { tool: 'other' }],
  ['the type', { type: 'other' }],
  ['the detector', { detector: 'other' }],
  ['the kind', { kind: 'other' }],
  ['the endpoint', { endpoint: { ...found.endpoint, port: 1 } }],
  ['the mode', { mode: 'sse' }],
  ['the description', { description: 'other' }],
  ['whose description it is', { tenantDescription: true }],
  ['the certainty', { certainty: 'hint' }],
  ['health', { verdict: { ...verdict, health: 'unhealthy' } }],
  ['that it wants credentials', { verdict: { ...verdict, authRequired: true } }],
  ['facts', { verdict: { ...verdict, facts: { a: 'b' } } }],
])('%s changes what is published', (_, change) => {
  expect(fingerprint([{ ...found, ...change }])).not.toBe(fingerprint([found]));
});

test.each<[string, Partial<DiscoveredService>]>([
  [
    'words of a verdict',
    { verdict: { ...verdict, reason: 'other', steps: [{ asked: 'a', answered: 'b' }] } },
  ],
  ['evidence', { evidence: [] }],
  ['its version', { service: { ...found.service, version: '8' } }],
])('%s changes nothing', (_, change) => {
  expect(fingerprint([{ ...found, ...change }])).toBe(fingerprint([found]));
});
