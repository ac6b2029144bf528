import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { problemLine } from '../model/discovery.ts';
import { idleCertificates } from './idle-certificates.ts';
import type { ToolKind } from './tools.ts';

const over = (scheme: 'http' | 'https', name: string, namespace = 'monitoring'): DiscoveredService => {
  const found = discovered(service(name, { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }));
  return { ...found, endpoint: { ...found.endpoint, scheme } };
};
const loki: DiscoveredService = { ...over('https', 'loki'), alternates: ['loki-headless'] };
const plain = over('http', 'plain', 'shop');
const kinds = new Map(['loki', 'tempo'].map((type) => [type, {} as ToolKind]));

const idle = (...keys: string[]): string[] =>
  idleCertificates(Object.fromEntries(keys.map((key) => [key, { caFile: '/ca.pem' }])), {
    found: [loki, plain],
    kinds,
  }).map(problemLine);

describe('a key of the setting certificates', () => {
  test('is used by a backend with TLS', () => {
    expect(idle('loki', 'monitoring/*', 'monitoring/loki')).toEqual([]);
  });

  test.each([
    ['shop/plain', 'applies to nothing now: such backends are reached without TLS; remove it, unless'],
    ['shop/*', 'applies to nothing now: such backends are reached without TLS; remove it, unless'],
    ['monitoring/loki-headless', 'the entry point of its backend is monitoring/loki, another Service'],
    ['monitoring/lokii', 'no such backend is known now; did you mean monitoring/loki?'],
    ['tempo', 'no such backend is known now; it counts as soon as one is found'],
    ['tempoo', 'there is no detector of this type; did you mean tempo?'],
  ])('that applies to nothing is reported: %s', (key, message) => {
    const [line = '', ...more] = idle(key, 'loki');
    expect(line).toContain(`certificates ${key}: applies to nothing`);
    expect(line).toContain(message);
    expect(more).toEqual([]);
  });

  test('names no display name', () => {
    const disguised = { ...loki, tool: 'x.shop', displayName: 'shop/x', displayNames: ['shop/x'] };
    const problems = idleCertificates({ 'shop/x': { caFile: '/ca.pem' } }, { found: [disguised], kinds });
    expect(problems).toHaveLength(1);
  });
});
