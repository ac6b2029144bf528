import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { offered, type ServiceFields, service } from '../../test/fixtures/unit/service.ts';
import type { AddressBook } from '../model/addresses.ts';
import type { Credentials } from '../model/credentials.ts';
import type { Overrides } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { discover, toolKinds } from './pass.ts';

/** EndpointSlices of the namespace `monitoring`. */
const bookOf = (slices: Readonly<Record<string, readonly string[]>>): AddressBook => ({
  addressesIn: ({ namespace }) =>
    new Map(
      Object.entries(namespace === 'monitoring' ? slices : {}).map(
        ([name, listed]) => [name, { listed, isCut: false }] as const,
      ),
    ),
});
const overridesOf = (value: unknown): Overrides => overridesSchema.parse(value);

/** What is published of Services that all answer as what they look like, but for those that fail. */
async function published(
  services: readonly Service[],
  given: {
    readonly book?: AddressBook;
    readonly overrides?: unknown;
    readonly credentials?: Credentials;
    readonly failing?: readonly string[];
  },
): Promise<string> {
  const { book, overrides = {}, credentials = {}, failing = [] } = given;
  const found = await discover(
    services,
    {
      rules,
      problems: [],
      detection: { ...options, allowExternalNames: true, allowedHosts: ['*.svc.cluster.local'] },
      maxBackends: 100,
      ...(book && { addresses: book }),
      prober: {
        probe: ({ service: { name } }) => {
          const isFailing = failing.includes(name);
          const health = isFailing ? 'unhealthy' : 'healthy';
          return Promise.resolve({
            health,
            authRequired: false,
            proof: isFailing ? 'unproven' : 'proven',
            reason: health,
            steps: [],
            tools: [],
          });
        },
      },
    },
    new AbortController().signal,
  );
  const { documents } = generate(found.services, {
    credentials,
    holmesgptVersion: '0.32',
    kinds: toolKinds(rules),
    mcpPolicy: 'approve',
    namespaces: ['monitoring', 'shop'],
    overrides: overridesOf(overrides),
  });
  return documents['custom_toolset.yaml'] ?? '';
}

const mcp = (name: string, fields: ServiceFields = {}): Service =>
  service(name, { ports: ['mcp:8000'], ...fields });
const prometheus = (name: string, fields: ServiceFields = {}): Service =>
  service(name, { labels: { app: 'prometheus' }, ports: ['web:9090'], ...fields });
const SAME = bookOf({ named: ['10.0.0.1'], twin: ['10.0.0.1'] });
const APART = bookOf({ named: ['10.0.0.1'], twin: ['10.0.0.2'] });

describe("a Service without a selector that has the address of another Service's Pod", () => {
  const named = { selector: { app: 'a' } };

  test.each([
    ['that is switched off', prometheus, { tools: { 'monitoring/named': { enabled: false } } }],
    ['that is refused', mcp, { tools: { 'monitoring/named': { approved: false } } }],
    [
      'that a person lists',
      mcp,
      {
        holmesgpt: {
          mcp_servers: {
            mine: {
              description: 'Mine',
              config: { url: 'http://named.monitoring:8000/mcp', mode: 'streamable-http' },
            },
          },
        },
      },
    ],
  ])('%s is not published, and one with Pods of its own is', async (_, make, overrides) => {
    const services = [make('named', named), make('twin')];
    expect(await published(services, { book: SAME, overrides })).not.toContain('twin.monitoring');
    expect(await published(services, { book: APART, overrides })).toContain('twin.monitoring');
  });
});

describe('a pointer to a disabled or listed Service', () => {
  const off = { tools: { 'shop/named': { enabled: false } } };
  const named = prometheus('named', { namespace: 'shop' });

  test.each([
    [
      'an ExternalName',
      prometheus('twin', { type: 'ExternalName', externalName: 'named.shop.svc.cluster.local' }),
    ],
    [
      'an annotation',
      offered(
        'twin',
        { endpoint: 'http://named.shop.svc.cluster.local:9090' },
        { labels: { app: 'prometheus' } },
      ),
    ],
  ])('%s does not bring it back', async (_, twin) => {
    const text = await published([named, twin], { overrides: off });
    expect(text).not.toContain('twin.monitoring');
    expect(text).not.toContain('named.shop');
    expect(await published([named, twin], {})).toMatch(/twin\.monitoring|named\.shop/);
  });

  test('is no second entry for a server that an operator lists or refuses', async () => {
    const twin = mcp('twin', { type: 'ExternalName', externalName: 'own.shop.svc.cluster.local' });
    const services = [mcp('own', { namespace: 'shop' }), twin];
    const url = 'http://own.shop.svc.cluster.local:8000/mcp';
    const server = { description: 'd', enabled: false, config: { url, mode: 'streamable-http' } };
    const listed = { holmesgpt: { mcp_servers: { own: server } } };
    expect(await published(services, {})).toContain('twin.monitoring');
    expect(await published(services, { overrides: listed })).not.toContain('twin.monitoring');
    const refused = { tools: { 'shop/own': { approved: false } } };
    expect(await published(services, { overrides: refused })).not.toContain('twin.monitoring');
  });
});

test('an ExternalName that proves to be the same product is not merged with a Service of its selector', async () => {
  const selector = { app: 'a' };
  const external = { type: 'ExternalName', externalName: 'x.example.com', selector };
  const text = await published([prometheus('named', { selector }), prometheus('twin', external)], {});
  expect(text).toContain('named.monitoring');
  expect(text).toContain('twin.monitoring');
});

describe('credentials of a failing Service', () => {
  const credentials = { 'monitoring/named': { headers: { Authorization: 'TOKEN' } } };
  const selector = { app: 'a' };
  const given = { credentials, failing: ['named'] };
  const named = prometheus('named', { selector });
  const twin = prometheus('twin', { selector });

  test.each([
    ['the same addresses', twin, SAME],
    ['another address', twin, APART],
    ['no known address', twin, bookOf({ named: ['10.0.0.1'] })],
    ['an ExternalName', { ...twin, type: 'ExternalName', externalName: 'x.example.com' }, undefined],
    [
      'an endpoint elsewhere',
      offered(
        'twin',
        { endpoint: 'http://evil.team.svc.cluster.local:9090' },
        { selector, labels: { app: 'prometheus' } },
      ),
      undefined,
    ],
  ])('do not go to one with its selector and %s, which is used meanwhile', async (_, other, book) => {
    const text = await published([named, other], { ...given, ...(book && { book }) });
    expect(text).toMatch(/twin\.monitoring|evil\.team/);
    expect(text).not.toContain('TOKEN');
  });
});
