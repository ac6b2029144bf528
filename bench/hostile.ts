import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { createServiceAccount, mintToken } from '../test/cluster/service-account.ts';
import { REVIEWING } from '../test/integration/rights.ts';
import { type Attack, type HostileService, PORT } from './hostile/attack.ts';
import { BACKENDS } from './hostile/backends.ts';
import { REQUESTS } from './hostile/requests.ts';
import { SOCKETS } from './hostile/sockets.ts';
import { type Asked, type Seen, startHostileServers, startWitness } from './hostile/witness.ts';
import type { Lab } from './lab.ts';
import { lowerPriorityOfChildren } from './priority.ts';
import { type Measured, startMeasured, usageOf } from './process.ts';
import type { Row } from './report.ts';
import { newTarget, startDeployed } from './serve.ts';
import { percentile } from './statistics.ts';

/** Friendly Services beside the attacker's. */
const FRIENDLY = 200;
/** How long each attack lasts, in seconds, unless `--seconds` asks for less. */
const LONGEST = 20;
/** How long `serve` rests before an attack, in milliseconds. */
const REST_MS = 3_000;

const QUIET: Attack = {
  name: 'quiet',
  about: 'no attack',
  run: async (_, signal) => void (await over(signal)),
};
const ATTACKS: readonly Attack[] = [QUIET, ...REQUESTS, ...SOCKETS, ...BACKENDS];

const over = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

/** The effect of one attack on `serve`. Memory is in MiB, the log in bytes. */
interface Harm {
  readonly seen: Seen;
  readonly before: number;
  readonly most: number;
  readonly log: number;
}

/** Runs each attack against the built `serve`, and one quiet run for comparison. */
export async function hostile(lab: Lab): Promise<Row[]> {
  const only = process.env.ATTACKS?.split(',');
  const attacks = ATTACKS.filter(({ name }) => name === QUIET.name || (only?.includes(name) ?? true));
  const servers = await startHostileServers();
  await lab.cluster();
  await lab.backends();
  // In reality, these run on other machines.
  await lowerPriorityOfChildren();
  const bare = startMeasured([
    join(import.meta.dirname, 'bare-server.ts'),
    await lab.file('bare.json', '{"status":"ok"}'),
  ]);
  try {
    await bare.said('listening');
    const barePort = Number((await bare.logged('listening')).port);
    const rows: Row[] = [];
    let quiet: Harm | undefined;
    for (const attack of attacks) {
      lab.say(`${attack.name}: ${attack.about}`);
      const harm = await suffer(lab, attack, { servers: servers.ports, bare: barePort });
      quiet ??= harm;
      const found = rowsOf(attack, harm, quiet);
      rows.push(...found);
      lab.say(found.map(({ value, unit }) => `${value.toFixed(0)} ${unit}`).join(', '));
    }
    return rows;
  } finally {
    servers.stop();
    await bare.stop();
  }
}

/** Ports of the hostile servers by name, and of the bare one. */
interface Ports {
  readonly servers: Readonly<Record<string, number>>;
  readonly bare: number;
}

async function suffer(lab: Lab, attack: Attack, ports: Ports): Promise<Harm> {
  const cluster = await lab.cluster();
  const friendly = await cluster.grow(Math.min(FRIENDLY, lab.options.services));
  await (await lab.backends()).answerAfter(0);
  const services = attack.services ?? [];
  const target = await newTarget(lab, friendly, { clusterRules: REVIEWING });
  const fair = await mintToken(cluster.admin, target.account);
  // All ServiceAccounts of a namespace are one client, so the attacker's Pod has a namespace of its own.
  const tenant = `${target.namespace}-tenant`;
  await cluster.namespace(tenant);
  const pod = await createServiceAccount(cluster.admin, { namespace: tenant });
  const token = await mintToken(cluster.admin, pod);
  const connectTo = [
    ...(await lab.backends()).connectTo(friendly),
    ...services.flatMap(({ namespace, name, server }) =>
      server === undefined
        ? []
        : `${name}.${namespace}.svc.cluster.local:${PORT}:127.0.0.1:${ports.servers[server]}`,
    ),
  ];
  const config = await lab.file(`${target.namespace}-hostile.yaml`, JSON.stringify({ connectTo }));
  let serve: Measured | undefined;
  try {
    serve = await startDeployed(lab, ['--config', config], {
      ...target.env,
      KUBECONFIG: target.kubeconfig,
      API_ADDRESS: '127.0.0.1:0',
      HEALTH_ADDRESS: '127.0.0.1:0',
    });
    await serve.said('toolset published');
    const port = Number((await serve.logged('the API is served')).port);
    const healthPort = await serve.logged('probes are answered').then(
      (line) => Number(line.port),
      () => port,
    );
    await sleep(REST_MS);
    const before = (await usageOf(serve.pid)).resident;
    const logBefore = serve.written();
    const endWitness = startWitness({ healthPort, port, barePort: ports.bare, token: fair });
    const stage = { cluster, port, healthPort, token, published: target.namespace };
    const most = await during(serve.pid, async () => {
      await create(lab, services);
      const stop = new AbortController();
      setTimeout(() => stop.abort(), Math.min(LONGEST, lab.options.seconds) * 1000);
      await attack.run(stage, stop.signal);
    });
    const seen = await endWitness();
    return { seen, before, most, log: serve.written() - logBefore };
  } finally {
    await serve?.stop();
    await remove(lab, services);
  }
}

/** Monitors the process until an attack ends. @returns its peak memory, in MiB */
async function during(pid: number, attack: () => Promise<void>): Promise<number> {
  let most = 0;
  const look = setInterval(async () => {
    most = Math.max(most, (await usageOf(pid).catch(() => ({ resident: 0 }))).resident);
  }, 200);
  try {
    await attack();
  } finally {
    clearInterval(look);
  }
  return most;
}

async function create(lab: Lab, services: readonly HostileService[]): Promise<void> {
  const cluster = await lab.cluster();
  for (const namespace of new Set(services.map((service) => service.namespace)))
    await cluster.namespace(namespace);
  // The API server takes seconds for a Service with thousands of ports.
  await pLimit(services.some(({ ports = 0 }) => ports > 1_000) ? 1 : 16).map(
    services,
    ({
      namespace,
      name,
      labels = {},
      annotations = {},
      selector,
      headless = false,
      secure = false,
      ports = 0,
    }) =>
      cluster.admin.create(`/api/v1/namespaces/${namespace}/services`, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, labels, annotations },
        spec: {
          ports: [
            ...Array.from({ length: ports }, (_, n) => ({ name: `port-${n}`, port: 10_000 + n })),
            { name: secure ? 'https' : 'http', port: PORT },
          ],
          ...(selector === undefined ? {} : { selector }),
          ...(headless ? { clusterIP: 'None' } : {}),
        },
      }),
  );
}

async function remove(lab: Lab, services: readonly HostileService[]): Promise<void> {
  const { admin } = await lab.cluster();
  await pLimit(16).map(services, ({ namespace, name }) =>
    admin.delete(`/api/v1/namespaces/${namespace}/services/${name}`),
  );
}

/** Maximum duration of a health probe, in milliseconds, and maximum growth of memory, in MiB. */
const HEALTH_GOAL = 250;
const GROWTH_GOAL = 32;

function rowsOf({ name, about }: Attack, harm: Harm, quiet: Harm): Row[] {
  const longest = (all: readonly Asked[]): number => Math.max(...all.map(({ ms }) => ms));
  const median = percentile(
    harm.seen.health.map(({ ms }) => ms),
    0.5,
  );
  const failed = harm.seen.health.filter(({ ok }) => !ok).length;
  const refused = harm.seen.client.filter(({ ok }) => !ok).length;
  return [
    {
      what: `${name}: longest response time of /health`,
      value: longest(harm.seen.health),
      unit: 'ms',
      floor: { what: 'a bare server at the same time', value: longest(harm.seen.bare) },
      goal: { value: HEALTH_GOAL },
      note: `${about}; median ${median.toFixed(1)} ms, ${failed} of ${harm.seen.health.length} probes failed`,
    },
    {
      what: `${name}: growth of memory`,
      value: harm.most - harm.before,
      unit: 'MiB',
      floor: { what: 'quiet', value: quiet.most - quiet.before },
      goal: { value: GROWTH_GOAL },
      note: `from ${harm.before.toFixed(0)} MiB`,
    },
    { what: `${name}: log`, value: harm.log / 1024, unit: 'KiB' },
    {
      what: `${name}: failed requests of a well-behaved client`,
      value: (100 * refused) / Math.max(1, harm.seen.client.length),
      unit: '%',
      goal: { value: 0 },
      note: `${refused} of ${harm.seen.client.length}`,
    },
  ];
}
