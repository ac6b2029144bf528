/**
 * Attacks by Services: hostile servers behind them, and labels, selectors and annotations that are costly to process.
 */
import { request } from 'node:http';
import { type Attack, EVIL, type HostileService, PORT, repeat, type Stage } from './attack.ts';

const MANY = 32;

/** A Service that its owner offers as an MCP server. */
const asMcp = (server: string, name: string, namespace = EVIL): HostileService => ({
  namespace,
  name,
  server,
  annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': 'mcp' },
});

/** A Service whose labels say that it is Prometheus. */
const asPrometheus = (server: string, name: string): HostileService => ({
  namespace: EVIL,
  name,
  server,
  labels: { 'app.kubernetes.io/name': 'prometheus' },
});

/** Changes a Service of the attacker, so that everything that depends on it is recomputed. */
async function annotate(
  { cluster }: Stage,
  { namespace, name }: HostileService,
  round: number,
): Promise<void> {
  await cluster.admin.patch(`/api/v1/namespaces/${namespace}/services/${name}`, {
    metadata: { annotations: { 'kubernaut.io/toolset-health-path': `/r${round}` } },
  });
}

/** Reads the whole list of services, as any client with a token can. */
function listServices({ port, token }: Stage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const sent = request(
    {
      host: '127.0.0.1',
      port,
      path: '/api/v1/services',
      headers: { authorization: `Bearer ${token}` },
      agent: false,
    },
    (response) => response.resume().on('close', resolve),
  );
  sent.on('error', () => resolve());
  sent.end();
  return promise;
}

/** Triggers a discovery that probes every backend, as any client with a token can. */
function rediscover({ port, token }: Stage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = request(
    { host: '127.0.0.1', port, method: 'POST', path: '/api/v1/discover', headers, agent: false },
    (response) => response.resume().on('close', resolve),
  );
  sent.on('error', () => resolve());
  sent.end('{"force":true}');
  return promise;
}

function server(name: string, about: string, services: readonly HostileService[]): Attack {
  return {
    name,
    about,
    services,
    async run(stage, signal) {
      await Promise.all([
        repeat(() => rediscover(stage), 4_000, signal),
        repeat(
          async (round) => {
            const service = services[round % services.length];
            if (service !== undefined) await annotate(stage, service, round);
          },
          250,
          signal,
        ),
      ]);
    },
  };
}

const named = (many: number, make: (name: string) => HostileService): HostileService[] =>
  Array.from({ length: many }, (_, n) => make(`s${n}`));

/** A selector with this many keys, which differs only in the last one. */
const selector = (keys: number, last: string): Record<string, string> =>
  Object.fromEntries([
    ...Array.from({ length: keys - 1 }, (_, n) => [
      `key-number-${String(n).padStart(4, '0')}-${'k'.repeat(40)}`,
      'v'.repeat(10),
    ]),
    ['last', last],
  ]);

const LONG_NAMES = server(
  'mcp-names',
  '400 MCP servers with 500 tools each, with names of 128 characters, and constant GET /api/v1/services',
  named(400, (name) => asMcp('mcp-names', name)),
);

/** Services whose selectors change, until each counts as leading to any Pods of the namespace. */
const CHANGING: readonly HostileService[] = Array.from({ length: 1_000 }, (_, n) => ({
  namespace: EVIL,
  name: `s${n}`,
  labels: { 'app.kubernetes.io/name': ['prometheus', 'loki', 'grafana', 'mcp-server'][n % 4] ?? '' },
  selector: { app: String(n) },
}));

/** Backends with the largest entries in HolmesGPT's file, as many as fit into the shares of three namespaces. */
const LARGE: readonly HostileService[] = Array.from({ length: 300 }, (_, n) => {
  const [namespace, name] = [`${EVIL}${n % 3}`, `nd-${n}`];
  return {
    namespace,
    name,
    headless: true,
    server: 'netdata',
    labels: { 'app.kubernetes.io/name': 'netdata' },
    annotations: {
      'kubernaut.io/toolset': 'true',
      'kubernaut.io/toolset-endpoint': `http://${name}.${namespace}.svc.cluster.local:${PORT}/${'p'.repeat(120)}`,
      'kubernaut.io/toolset-description': 'd'.repeat(190),
    },
  };
});

/** MCP servers of three namespaces, more than there are places for. */
const SERVERS: readonly HostileService[] = Array.from({ length: 300 }, (_, n) =>
  asMcp('mcp-few', `big${n}-${'x'.repeat(30)}`, `${EVIL}${n % 3}`),
);

const OVERRIDES = `tools:\n  ${EVIL}/none: { enabled: false }\n  ${EVIL}/s3: { approved: mcp }\n  ${EVIL}/s7: { approved: false }\n`;

export const BACKENDS: readonly Attack[] = [
  {
    name: 'selector-changes',
    about: '1,000 Services whose selectors change, 50 a second, with overrides for some',
    services: CHANGING,
    async run({ cluster, published }, signal) {
      await cluster.admin.patch(`/api/v1/namespaces/${published}/configmaps/kubernaut-toolset-config`, {
        data: { 'overrides.yaml': OVERRIDES },
      });
      await repeat(
        (round) =>
          cluster.admin.patch(`/api/v1/namespaces/${EVIL}/services/s${round % CHANGING.length}`, {
            spec: { selector: { app: `changed-${round}` } },
          }),
        20,
        signal,
      );
    },
  },
  {
    name: 'large-documents',
    about: "300 backends in 3 namespaces with large entries in the agent's file, and changes of one of them",
    services: LARGE,
    run: ({ cluster }, signal) =>
      repeat(
        (round) =>
          cluster.admin.patch(`/api/v1/namespaces/${EVIL}0/services/nd-0`, {
            metadata: { annotations: { 'kubernaut.io/toolset-description': `d${round}` } },
          }),
        400,
        signal,
      ),
  },
  {
    name: 'mcp-servers',
    about: '300 approved MCP servers in 3 namespaces, and changes of a backend of another one',
    services: [...SERVERS, asPrometheus('silent', 'prometheus')],
    async run({ cluster, published }, signal) {
      const approvals = SERVERS.map(({ namespace, name }) => `  ${namespace}/${name}: { approved: mcp }\n`);
      await cluster.admin.patch(`/api/v1/namespaces/${published}/configmaps/kubernaut-toolset-config`, {
        data: { 'overrides.yaml': `tools:\n${approvals.join('')}` },
      });
      await repeat(
        (round) =>
          cluster.admin.patch(`/api/v1/namespaces/${EVIL}/services/prometheus`, {
            metadata: { annotations: { 'kubernaut.io/toolset-description': `d${round}` } },
          }),
        1_000,
        signal,
      );
    },
  },
  {
    ...LONG_NAMES,
    run: async (stage, signal) =>
      void (await Promise.all([
        LONG_NAMES.run(stage, signal),
        repeat(() => listServices(stage), 10, signal),
      ])),
  },
  server(
    'informational',
    `${MANY} servers that send endless informational responses`,
    named(MANY, (name) => asPrometheus('informational', name)),
  ),
  server(
    'tiny-chunks',
    `${MANY} MCP servers that stream in chunks of one byte`,
    named(MANY, (name) => asMcp('tiny-chunks', name)),
  ),
  server(
    'junk-events',
    `${MANY} MCP servers that send 60 KB of junk events, then single bytes`,
    named(MANY, (name) => asMcp('junk-events', name)),
  ),
  server(
    'drip',
    `${MANY} MCP servers that send single bytes`,
    named(MANY, (name) => asMcp('drip', name)),
  ),
  server(
    'chunk-extensions',
    `${MANY} servers with endless chunk extensions`,
    named(MANY, (name) => asPrometheus('chunk-extensions', name)),
  ),
  server(
    'headers',
    `${MANY} servers with endless headers`,
    named(MANY, (name) => asPrometheus('headers', name)),
  ),
  server(
    'endless-body',
    `${MANY} servers with endless bodies`,
    named(MANY, (name) => asPrometheus('endless', name)),
  ),
  server(
    'costly-chain',
    `${MANY} servers with 10 certificates that take 9 ms each to verify`,
    named(MANY, (name) => ({ ...asPrometheus('costly-chain', name), secure: true })),
  ),
  server(
    'long-chain',
    `${MANY} servers with 65 such certificates`,
    named(MANY, (name) => ({ ...asPrometheus('long-chain', name), secure: true })),
  ),
  server(
    'mcp-300',
    '300 MCP servers with junk events in one namespace',
    named(300, (name) => asMcp('junk-events', name)),
  ),
  server(
    'selectors',
    '400 Services with selectors of 500 keys; one changes four times a second',
    Array.from({ length: 400 }, (_, n) => ({
      namespace: EVIL,
      name: `prometheus-${n}`,
      labels: { 'app.kubernetes.io/name': 'prometheus' },
      selector: selector(500, String(n)),
      headless: n % 2 === 0,
    })),
  ),
  server(
    'labels',
    '1,000 Services with 500 labels each; one changes four times a second',
    Array.from({ length: 1_000 }, (_, n) => ({
      namespace: EVIL,
      name: `prometheus-${n}`,
      labels: { ...selector(500, String(n)), 'app.kubernetes.io/name': 'prometheus' },
    })),
  ),
  server(
    'ports',
    '60 Services with 8,000 ports each; one changes four times a second',
    Array.from({ length: 60 }, (_, n) => ({
      namespace: EVIL,
      name: `prometheus-${n}`,
      labels: { 'app.kubernetes.io/name': 'prometheus' },
      ports: 8_000,
    })),
  ),
  server(
    'annotations',
    '200 Services with an annotation of 200 KB each; one changes four times a second',
    Array.from({ length: 200 }, (_, n) => ({
      namespace: EVIL,
      name: `prometheus-${n}`,
      labels: { 'app.kubernetes.io/name': 'prometheus' },
      annotations: { 'kubernaut.io/toolset-description': 'd'.repeat(200_000) },
    })),
  ),
  server(
    'large-texts',
    '260 Services with the longest names, paths and descriptions',
    Array.from({ length: 260 }, (_, n) => ({
      namespace: EVIL,
      name: `s${String(n).padStart(3, '0')}-${'x'.repeat(58)}`,
      annotations: {
        'kubernaut.io/toolset': 'true',
        'kubernaut.io/toolset-name': `t${String(n).padStart(3, '0')}${'y'.repeat(59)}`,
        'kubernaut.io/toolset-description': '😀'.repeat(199),
      },
    })),
  ),
];
