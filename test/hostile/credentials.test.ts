import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { assignNames, NO_NAMING } from '../../src/detection/names.ts';
import type { Credential } from '../../src/model/credentials.ts';
import { credentialsByBackend } from '../../src/model/credentials.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import { generate } from '../../src/outputs/generate.ts';
import { joinDocuments } from '../../src/outputs/holmesgpt/merge/join.ts';
import type { JoinOptions } from '../../src/outputs/holmesgpt/merge/join-options.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { discovered } from '../fixtures/unit/detection.ts';
import { offered, service } from '../fixtures/unit/service.ts';
import { SCALE } from '../scale.ts';
import { hostOf, type Sent, secretsIn, sentBy } from './credential-model.ts';

/** How many cases are tried. */
const CASES = 500 * SCALE;

const NAMESPACES = ['monitoring', 'team', 'evil'];
type Json = Record<string, unknown>;

/** Kinds of backends: how their Services look, which toolset they are in, and what a person writes for one. */
const KINDS: Readonly<
  Record<
    string,
    { readonly toolset: string; readonly port: number; readonly list: string; readonly address: string }
  >
> = {
  prometheus: { toolset: 'prometheus/metrics', port: 9090, list: 'instances', address: 'prometheus_url' },
  loki: { toolset: 'grafana/loki', port: 3100, list: 'instances', address: 'api_url' },
  tempo: { toolset: 'grafana/tempo', port: 3200, list: 'instances', address: 'api_url' },
  grafana: { toolset: 'grafana/dashboards', port: 3000, list: 'instances', address: 'api_url' },
  elasticsearch: { toolset: 'elasticsearch/data', port: 9200, list: 'instances', address: 'api_url' },
  victorialogs: { toolset: 'victorialogs', port: 9428, list: 'instances', address: 'api_url' },
  kafka: { toolset: 'kafka/admin', port: 9092, list: 'clusters', address: 'broker' },
  rabbitmq: { toolset: 'rabbitmq/core', port: 15_672, list: 'clusters', address: 'api_url' },
  jaeger: { toolset: 'jaeger', port: 16_686, list: 'endpoints', address: 'hosts' },
};
const types = Object.keys(KINDS);
const typeOf = fc.constantFrom(...types);
const namespaceOf = fc.constantFrom(...NAMESPACES);

const found: fc.Arbitrary<DiscoveredService[]> = fc
  .uniqueArray(
    fc.record({
      type: fc.constantFrom(...types, 'mcp'),
      namespace: namespaceOf,
      name: fc.constantFrom('a', 'b'),
      called: fc.constantFrom(undefined, '0', 'default', 'monitoring-a'),
    }),
    { maxLength: 8, selector: ({ namespace, name }) => `${namespace}/${name}` },
  )
  .map((all) =>
    all.map(({ type, namespace, name, called }) =>
      discovered(
        type === 'mcp'
          ? service(name, { namespace, labels: { app: 'mcp-server' }, ports: ['mcp:80'] })
          : offered(
              name,
              { type, ...(called === undefined ? {} : { name: called }) },
              { namespace, ports: [`http:${KINDS[type]?.port}`] },
            ),
      ),
    ),
  );

/** Who may see each secret, filled while a person's texts are made. */
class Secrets {
  readonly paired = new Map<string, (host: string, entry: string) => boolean>();
  #count = 0;

  make(may: (host: string, entry: string) => boolean): string {
    this.#count += 1;
    this.paired.set(`S${this.#count}`, may);
    return `S${this.#count}`;
  }
}

/** How secrets stand in one place. */
const shapes = ['header', 'key', 'login', 'certificate', 'value', 'none'] as const;
const shapeOf = fc.constantFrom(...shapes);

function secretFields(shape: (typeof shapes)[number], secret: () => string): Json {
  const variable = (): string => `{{ env.${secret()} }}`;
  switch (shape) {
    case 'header':
      return { additional_headers: { Authorization: `Bearer ${variable()}` } };
    case 'key':
      return { api_key: variable() };
    case 'login':
      return { username: secret(), password: variable() };
    case 'certificate':
      return { client_cert: `/${secret()}.crt`, client_key: `/${secret()}.key` };
    case 'value':
      return { max_retries: variable() };
    case 'none':
      return {};
  }
}

const spelling = fc.constantFrom<(service: string, namespace: string) => string>(
  (name, namespace) => `${name}.${namespace}`,
  (name, namespace) => `${name}.${namespace}.svc`,
  (name, namespace) => `${name.toUpperCase()}.${namespace}.svc.cluster.local`,
  (name, namespace) => `${name}.${namespace}.svc.cluster.local.`,
  () => 'own.example',
);
/** A backend of a person, or what they wrote beside or without one. */
const mine = fc.record({
  spell: spelling,
  name: fc.constantFrom('a', 'b'),
  namespace: namespaceOf,
  secrets: shapeOf,
  slash: fc.boolean(),
});
type Mine = typeof mine extends fc.Arbitrary<infer T> ? T : never;

const plan = fc.record({
  type: typeOf,
  flat: fc.option(mine, { nil: undefined }),
  beside: fc.option(shapeOf, { nil: undefined }),
  list: fc.array(mine, { maxLength: 2 }),
  common: fc.boolean(),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

const addressOf = (type: string, { spell, name, namespace, slash }: Mine): string => {
  const kind = KINDS[type];
  const authority = `${spell(name, namespace)}:${kind?.port}`;
  return type === 'kafka' ? authority : `http://${authority}${slash && type !== 'jaeger' ? '/' : ''}`;
};

/** What a person wrote for one toolset, and the backends with all that belongs to each. */
function written(
  plans: Plan,
  secrets: Secrets,
  version: string,
): { config: Json; own: { host: string; secrets: string[] }[] } {
  const { type, flat, beside, common } = plans;
  const kind = KINDS[type];
  const isInstances = kind?.list === 'instances';
  const own: { host: string; secrets: string[] }[] = [];
  const backend = (each: Mine, index: number): Json => {
    const address = addressOf(type, each);
    const host = hostOf(address);
    const shape = type === 'jaeger' ? 'none' : each.secrets;
    const fields: Json = secretFields(shape, () => secrets.make((to) => to === host));
    if (type === 'jaeger' && each.secrets !== 'none')
      fields.auth = { type: 'bearer', token: `{{ env.${secrets.make((to) => to === host)} }}` };
    own.push({ host, secrets: secretsIn(fields) });
    const named = type === 'jaeger' ? {} : { [type === 'rabbitmq' ? 'id' : 'name']: `mine-${index}` };
    return { ...named, [kind?.address ?? '']: type === 'jaeger' ? [address] : address, ...fields };
  };
  // Before 0.32 there are no instances, so nobody writes any.
  const entries = (isInstances && version === '0.20' ? [] : plans.list).map(backend);
  const hosts = new Set(own.map(({ host }) => host));
  // Beside an address: for that one. Beside a list: for each in it, and where nothing else is, for nobody that we know of.
  const flatHost = flat !== undefined && isInstances ? hostOf(addressOf(type, flat)) : undefined;
  const besides =
    beside === undefined
      ? {}
      : secretFields(beside, () => secrets.make((to) => to === '?' || to === flatHost || hosts.has(to)));
  const { name: _, ...flatFields } =
    flatHost === undefined || flat === undefined ? { name: '' } : backend(flat, 9);
  if (flatHost !== undefined && entries.length > 0) own.pop();
  return {
    config: {
      ...besides,
      ...flatFields,
      ...(common ? { timeout_seconds: 7 } : {}),
      ...(entries.length > 0 && kind !== undefined ? { [kind.list]: entries } : {}),
    },
    own,
  };
}

/** Credentials in our own configuration, and fields for backends in overrides. */
const configured = fc.array(
  fc.record({
    type: fc.constantFrom(...types, 'mcp'),
    namespace: namespaceOf,
    name: fc.constantFrom('a', 'b'),
    by: fc.constantFrom('service', 'type', 'all'),
    how: fc.constantFrom('credentials', 'backends'),
  }),
  { maxLength: 4 },
);
type Configured = typeof configured extends fc.Arbitrary<infer T> ? T : never;

function configure(all: Configured, secrets: Secrets) {
  const credentials: Record<string, Credential> = {};
  const backends: Record<string, Json> = {};
  for (const { type, namespace, name, by, how } of all) {
    const secret = secrets.make((host) =>
      by === 'all' ? true : by === 'type' ? host.endsWith(`.${namespace}`) : host === `${name}.${namespace}`,
    );
    if (how === 'credentials' || type === 'mcp') {
      const key = by === 'service' ? `${namespace}/${name}` : type;
      credentials[key] = {
        bearerToken: secret,
        ...(by === 'service' ? {} : { namespaces: by === 'all' ? ['*'] : [namespace] }),
      };
    } else {
      const key = by === 'all' ? '*' : by === 'type' ? `${namespace}/*` : `${namespace}/${name}`;
      const toolset = KINDS[type]?.toolset ?? '';
      const header =
        type === 'jaeger'
          ? { auth: { type: 'bearer', token: `{{ env.${secret} }}` } }
          : { additional_headers: { 'X-Key': `{{ env.${secret} }}` } };
      backends[toolset] = { ...backends[toolset], [key]: header };
    }
  }
  return { credentials: credentialsByBackend.parse(credentials), backends };
}

const server = fc.option(
  fc.record({ namespace: namespaceOf, name: fc.constantFrom('a', 'b'), url: fc.boolean() }),
  { nil: undefined },
);

const scenario = fc.record({
  services: found,
  plans: fc.uniqueArray(plan, { maxLength: 3, selector: ({ type }) => type }),
  configured,
  server,
  where: fc.constantFrom('overrides', 'file'),
  version: fc.constantFrom<JoinOptions['holmesgptVersion']>('0.32', '0.32', '0.20'),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function outcome({ services, plans, configured: given, server: mcp, where, version }: Scenario) {
  const secrets = new Secrets();
  const { credentials, backends } = configure(given, secrets);
  const own: { toolset: string; host: string; secrets: string[] }[] = [];
  const toolsets: Record<string, Json> = {};
  for (const each of plans) {
    const toolset = KINDS[each.type]?.toolset ?? '';
    const { config, own: theirs } = written(each, secrets, version);
    toolsets[toolset] = {
      enabled: true,
      ...(each.type === 'jaeger' && where === 'file' ? { type: 'http', description: 'd' } : {}),
      config,
    };
    own.push(...theirs.map((backend) => ({ toolset, ...backend })));
  }
  const servers: Record<string, Json> = {};
  if (mcp !== undefined) {
    const { namespace, name, url } = mcp;
    const host = url ? 'mcp.example' : `${name}.${namespace}`;
    servers[`${namespace}/${name}`] = {
      description: 'd',
      config: {
        ...(url ? { url: 'http://mcp.example/mcp', mode: 'streamable-http' } : {}),
        headers: { Authorization: `{{ env.${secrets.make((to) => to === host)} }}` },
      },
    };
  }
  const person = { toolsets, mcp_servers: servers };
  const scoped = Object.fromEntries(
    Object.entries(backends).map(([name, each]) => [name, { backends: each }]),
  );
  const patch =
    where === 'file'
      ? { toolsets: scoped }
      : {
          toolsets: Object.fromEntries(
            [...new Set([...Object.keys(toolsets), ...Object.keys(scoped)])].map((name) => [
              name,
              { ...toolsets[name], ...scoped[name] },
            ]),
          ),
          mcp_servers: servers,
        };
  const { documents } = generate(assignNames(services, NO_NAMING).candidates, {
    credentials,
    holmesgptVersion: version,
    overrides: overridesSchema.parse({ holmesgpt: patch }),
    kinds: new Map(),
  });
  const generated = parse(documents['custom_toolset.yaml'] ?? '', { version: '1.1' }) as Json;
  const document =
    where === 'file'
      ? joinDocuments(generated, person, {
          holmesgptVersion: version,
          namespace: 'holmes',
          standsAlone: true,
        }).document
      : generated;
  return { document, sent: sentBy(document), secrets, own, credentials, toolsets };
}

test('no host receives credentials of another host or namespace, and no backend is lost', () => {
  let secretsSent = 0;
  let kept = 0;
  fc.assert(
    fc.property(scenario, (given) => {
      const { document, sent, secrets, own } = outcome(given);
      for (const { host, entry, secrets: received } of sent)
        for (const secret of received) {
          secretsSent += 1;
          const may = secrets.paired.get(secret)?.(host, entry);
          expect({ secret, host, entry, may, document }).toEqual({
            secret,
            host,
            entry,
            may: true,
            document,
          });
        }
      if (given.where === 'overrides') return;
      // What a person wrote into the file is used with all that belongs to it, unless HolmesGPT takes one backend only.
      for (const { toolset, host, secrets: theirs } of own) {
        if (given.version === '0.20') continue;
        kept += 1;
        const used = (each: Sent): boolean =>
          each.entry === toolset &&
          each.host === host &&
          theirs.every((secret) => each.secrets.includes(secret));
        expect({ toolset, host, theirs, used: sent.some(used), document }).toMatchObject({ used: true });
      }
    }),
    { numRuns: CASES },
  );
  // A law about nothing holds always.
  expect(secretsSent).toBeGreaterThan(CASES / 10);
  expect(kept).toBeGreaterThan(CASES / 10);
}, 600_000);
