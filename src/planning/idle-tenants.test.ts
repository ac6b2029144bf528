import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { type DiscoveredService, problemLine } from '../model/discovery.ts';
import { idleTenants } from './idle-tenants.ts';
import { discoveredTool, type Tool, type ToolKind } from './tools.ts';

const backend = (type: string, port: number, namespace: string): DiscoveredService =>
  discovered(service(type, { namespace, labels: { app: type }, ports: [port] }));
const LOKI = backend('loki', 3100, 'monitoring');
const JAEGER = backend('jaeger', 16686, 'tracing');

const KIND: ToolKind = { description: '', mappings: {} };
const WITH_TENANTS: ToolKind = { ...KIND, tenancy: { header: 'X-Scope-OrgID' } };
const KINDS: ReadonlyMap<string, ToolKind> = new Map([
  ['loki', WITH_TENANTS],
  ['mimir', WITH_TENANTS],
  ['jaeger', KIND],
  ['zipkin', KIND],
]);

/** The notes about keys of the setting, on one line each. */
const idle = (
  keys: readonly string[],
  found: readonly DiscoveredService[] = [LOKI, JAEGER],
  tools: readonly Tool[] = found.map(discoveredTool),
): string[] =>
  idleTenants(Object.fromEntries(keys.map((key) => [key, ['a']])), tools, { found, kinds: KINDS }).map(
    problemLine,
  );

describe('a key of the setting tenants is no mistake', () => {
  test.each(['loki', 'monitoring/*', 'monitoring/loki'])('if a backend uses it: %s', (key) => {
    expect(idle([key])).toEqual([]);
  });

  test.each(['loki', 'monitoring/*', 'monitoring/loki'])(
    'if its backend is not published, because it waits or is unhealthy: %s',
    (key) => {
      expect(idle([key], [LOKI], [])).toEqual([]);
    },
  );

  test('if only a tool that a person added uses it', () => {
    const own: Tool = { ...discoveredTool(LOKI), key: 'mine', namespace: undefined, members: [] };
    expect(idle(['loki'], [], [own])).toEqual([]);
  });
});

describe('a key of the setting tenants that applies to nothing is reported', () => {
  const NO_TENANTS = 'applies to nothing: such backends have no tenants; remove it';
  const UNKNOWN = 'applies to nothing: no such backend is known now';
  const LATER = 'it counts as soon as one is found';

  test.each<[string, string, string]>([
    ['a Service without tenants', 'tracing/jaeger', NO_TENANTS],
    ['a namespace that has only such Services', 'tracing/*', NO_TENANTS],
    ['a type without tenants', 'jaeger', NO_TENANTS],
    ['a type without tenants of which there is none', 'zipkin', NO_TENANTS],
    ['a type with tenants of which there is none', 'mimir', `${UNKNOWN}; ${LATER}`],
    ['an unknown Service', 'shop/orders', `${UNKNOWN}; ${LATER}`],
    ['a typo', 'monitoring/lokki', `${UNKNOWN}; did you mean monitoring/loki? Otherwise ${LATER}`],
    [
      'a type that does not exist',
      'lokki',
      'applies to nothing: there is no detector of this type; did you mean loki?',
    ],
  ])('%s', (_, key, expected) => {
    expect(idle([key])).toEqual([`tenants ${key}: ${expected}`]);
  });

  test('beside one that a backend uses', () => {
    expect(idle(['loki', 'jaeger'])).toEqual([`tenants jaeger: ${NO_TENANTS}`]);
  });
});
