import { joinDocuments } from '../../src/outputs/holmesgpt/merge/join.ts';
import type { JoinOptions } from '../../src/outputs/holmesgpt/merge/join-options.ts';

type Json = Record<string, unknown>;

/** Addresses of the servers of a person and of a tenant. */
export interface Servers {
  readonly person: string;
  readonly tenant: string;
  readonly personBroker: string;
  readonly tenantBroker: string;
}

/** What becomes of a person's configuration beside a tenant's backend. */
export interface Case {
  readonly name: string;
  /** A text in each request of this case. */
  readonly mark: string;
  readonly document: Json;
  /** URLs that the agent asks for with the tool of a toolset of `type: http`. */
  readonly calls: readonly string[];
  /** Variables of the agent's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Does the person's server receive the person's login? It does where they gave it to that server. */
  readonly received: boolean;
  /** Does the tenant's backend stay in the toolset? */
  readonly beside: boolean;
}

export const USER = 'person-admin';
export const SECRET = 'person-secret';

const bearer = { Authorization: `Bearer ${SECRET}` };
const header = { additional_headers: bearer };
const login = { username: USER, password: SECRET };

/** Words as a part of a URL. The dot keeps one mark from being the beginning of another. */
const markOf = (words: string): string => `${words.replaceAll(/[, ]+/g, '-')}.`;

interface Given {
  readonly mark: string;
  readonly section?: string;
  readonly person: Json;
  readonly generated: Json;
  readonly calls?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly received?: boolean;
  readonly beside?: boolean;
}

const FILE: JoinOptions = { holmesgptVersion: '0.32', standsAlone: true };
const OVERRIDES: JoinOptions = { ...FILE, standsAlone: false };

function made(name: string, given: Given, source: JoinOptions = FILE): Case {
  const { section = 'toolsets', person, generated, ...rest } = given;
  const { document } = joinDocuments({ [section]: generated }, { [section]: person }, source);
  return { name, document, calls: [], environment: {}, received: true, beside: true, ...rest };
}

/** Toolsets with an address of their own, and the ways to log in that each takes. */
const INSTANCES: Readonly<Record<string, { readonly address: string; readonly logins: readonly Json[] }>> = {
  'prometheus/metrics': { address: 'prometheus_url', logins: [header] },
  'grafana/loki': { address: 'api_url', logins: [header, login, { api_key: SECRET }] },
  'grafana/tempo': { address: 'api_url', logins: [header, login, { api_key: SECRET }] },
  'grafana/dashboards': { address: 'api_url', logins: [header, login, { api_key: SECRET }] },
  'elasticsearch/data': { address: 'api_url', logins: [login, { api_key: SECRET }] },
  'elasticsearch/cluster': { address: 'api_url', logins: [login, { api_key: SECRET }] },
  victorialogs: { address: 'api_url', logins: [login, { bearer_token: SECRET }, { headers: bearer }] },
};

function instances({ person, tenant }: Servers): Case[] {
  return Object.entries(INSTANCES).flatMap(([toolset, { address, logins }]) =>
    logins.flatMap((given) => {
      const kind = `${toolset}, ${Object.keys(given)[0]}`;
      const config = (how: string, own: (mine: string) => Json, found: (theirs: string) => Json): Case => {
        const mark = markOf(`/${kind} ${how}`);
        return made(`${kind}, ${how}`, {
          mark,
          person: { [toolset]: { enabled: true, config: own(person + mark) } },
          generated: { [toolset]: { enabled: true, config: found(tenant + mark) } },
        });
      };
      const one = (theirs: string): Json => ({ [address]: theirs });
      const two = (theirs: string): Json => ({
        instances: [
          { name: 'x.evil', [address]: theirs },
          { name: 'y.evil', [address]: `${theirs}-y` },
        ],
      });
      const flat = (mine: string): Json => ({ [address]: mine, ...given });
      const listed = (mine: string): Json => ({ ...given, instances: [{ name: 'mine', [address]: mine }] });
      return [
        config('flat beside one', flat, one),
        config('flat beside two', flat, two),
        config('beside instances', listed, two),
      ];
    }),
  );
}

/** HolmesGPT takes the address of one toolset from its environment. */
function addressless({ person, tenant }: Servers): Case[] {
  return Object.entries({ file: FILE, overrides: OVERRIDES }).map(([where, source]) => {
    const mark = markOf(`/prometheus without an address in ${where}`);
    const given = {
      mark,
      person: { 'prometheus/metrics': { enabled: true, config: header } },
      generated: { 'prometheus/metrics': { enabled: true, config: { prometheus_url: tenant + mark } } },
      environment: { PROMETHEUS_URL: `${person}${mark}/` },
      beside: false,
    };
    return made(`prometheus/metrics, without an address in ${where}`, given, source);
  });
}

function rabbitmq({ person, tenant }: Servers): Case {
  const mark = markOf('/rabbitmq');
  return made('rabbitmq/core, clusters', {
    mark,
    person: {
      'rabbitmq/core': { config: { clusters: [{ id: 'mine', api_url: `${person}${mark}/`, ...login }] } },
    },
    generated: {
      'rabbitmq/core': {
        enabled: true,
        config: {
          clusters: [{ id: 'x.evil', api_url: `${tenant}${mark}/`, username: 'other', password: 'other' }],
        },
      },
    },
  });
}

function kafka({ personBroker, tenantBroker }: Servers): Case[] {
  const sasl = { security_protocol: 'SASL_PLAINTEXT', sasl_mechanism: 'PLAIN', ...login };
  const given = (how: string, received: boolean, own: (mark: string) => Json): Case => {
    const mark = markOf(`kafka ${how}`);
    const clusters = ['x.evil', 'y.evil'].map((name) => ({ name, broker: tenantBroker, client_id: mark }));
    return made(`kafka/admin, ${how}`, {
      mark,
      received,
      person: { 'kafka/admin': { config: own(mark) } },
      generated: { 'kafka/admin': { enabled: true, config: { clusters } } },
    });
  };
  const mine = (mark: string): Json => ({ name: 'mine', broker: personBroker, client_id: mark });
  return [
    given('in a cluster', true, (mark) => ({ clusters: [{ ...mine(mark), ...sasl }] })),
    given('in a cluster with the old names', true, (mark) => ({
      kafka_clusters: [
        {
          name: 'mine',
          kafka_broker: personBroker,
          kafka_client_id: mark,
          ...Object.fromEntries(Object.entries(sasl).map(([field, value]) => [`kafka_${field}`, value])),
        },
      ],
    })),
    // HolmesGPT reads no login there, so it is sent nowhere.
    given('beside clusters', false, (mark) => ({ ...sasl, clusters: [mine(mark)] })),
    given('without a cluster', false, () => sasl),
  ];
}

const AUTHS: Readonly<Record<string, Json>> = {
  basic: { type: 'basic', ...login },
  digest: { type: 'digest', ...login },
  bearer: { type: 'bearer', token: SECRET },
  header: { type: 'header', name: 'X-Key', value: SECRET },
};

function http({ person, tenant }: Servers): Case[] {
  const entry = { type: 'http', description: 'Annotated Services' };
  const given = (how: string, own: (mark: string) => Json, rest: Partial<Given> = {}): Case => {
    const mark = markOf(`/http ${how}`);
    const paths = ['x', 'y'].map((name) => `${mark}/${name}`);
    const endpoints = paths.map((path) => ({ hosts: [tenant], paths: [path], methods: ['GET'] }));
    return made(`custom, ${how}`, {
      mark,
      person: { custom: { ...entry, config: own(mark) } },
      generated: { custom: { ...entry, enabled: true, config: { endpoints } } },
      calls: [`${person}${mark}/own`, ...paths.map((path) => tenant + path)],
      ...rest,
    });
  };
  const endpoint = (mark: string): Json => ({ hosts: [person], paths: [`${mark}/*`] });
  return [
    ...Object.entries(AUTHS).flatMap(([how, auth]) => [
      given(`${how} in an endpoint`, (mark) => ({ endpoints: [{ ...endpoint(mark), auth }] })),
      given(`${how} in an endpoint that is checked`, (mark) => ({
        endpoints: [{ ...endpoint(mark), auth, health_check_url: `${person}${mark}/health` }],
      })),
    ]),
    ...['default_headers', 'extra_headers'].flatMap((field) => [
      given(`${field} beside endpoints`, (mark) => ({ [field]: bearer, endpoints: [endpoint(mark)] }), {
        beside: false,
      }),
      given(`${field} alone`, () => ({ [field]: bearer }), { received: false }),
    ]),
  ];
}

function mcp({ person, tenant }: Servers): Case[] {
  const given = (how: string, name: string, own: (url: string) => Json, beside: boolean): Case => {
    const mark = markOf(`/mcp ${how}`);
    return made(`MCP server, ${how}`, {
      section: 'mcp_servers',
      mark,
      beside,
      person: { [name]: { description: 'd', ...own(person + mark) } },
      generated: {
        'evil/x': { description: 'd', config: { url: `${tenant}${mark}/mcp`, mode: 'streamable-http' } },
      },
    });
  };
  const modes = [
    { mode: 'streamable-http', path: '/mcp' },
    { mode: 'sse', path: '/sse' },
  ];
  const headers = ['headers', 'extra_headers'];
  return [
    ...modes.flatMap(({ mode, path }) =>
      headers.flatMap((field) => {
        const own = (url: string): Json => ({ config: { url: url + path, mode, [field]: bearer } });
        return [
          given(`${field} over ${mode}`, 'mine', own, true),
          given(`${field} over ${mode} under a name that is found`, 'evil/x', own, false),
        ];
      }),
    ),
    given('with its address in the old place', 'mine', (url) => ({ url, config: { headers: bearer } }), true),
    given(
      'with its address in the old place under a name that is found',
      'evil/x',
      (url) => ({ url, config: { headers: bearer } }),
      false,
    ),
  ];
}

/** Each way in which a person gives a login to a backend, joined to backends of a tenant. */
export function casesOf(servers: Servers): Case[] {
  return [instances, addressless, rabbitmq, kafka, http, mcp].flatMap((each) => each(servers));
}
