import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../config/setting-texts.ts';
import { tlsFiles } from '../config/tls-files.ts';
import { ConfigError } from '../model/errors.ts';
import type { TlsFiles } from '../server/tls.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';

export type ServerName = 'api' | 'metrics' | 'health';

/** The parameters of a server. If they change, the server is replaced. */
export interface ServerSpec {
  readonly address: ListenAddress;
  readonly tls: TlsFiles | undefined;
}

/** Creates a server that does not listen yet. @throws UserError if its TLS files are unusable */
export type ServerFactory = (name: ServerName, spec: ServerSpec) => Promise<FastifyInstance>;

interface Running {
  readonly spec: ServerSpec;
  readonly app: FastifyInstance;
}

/** Maximum time to drain requests before a server is replaced, in milliseconds. */
const DRAIN_TIMEOUT = 3_000;

/** In this order, so that health probes are answered while the other servers start. */
const NAMES: readonly ServerName[] = ['health', 'api', 'metrics'];
const FLAGS = { api: '--api-address', metrics: '--metrics-address', health: '--health-address' } as const;
const SETTINGS = { api: 'apiAddress', metrics: 'metricsAddress', health: 'healthAddress' } as const;
const SERVED = {
  api: 'the API is served at /api/v1',
  metrics: 'metrics are served at /metrics',
  health: 'probes are served at /health and /ready',
} as const;
/** Default ports in a Pod. */
const PORTS = { api: 8080, metrics: 9090, health: 8081 } as const;

/** Closes a server after its requests are answered, or after a timeout. */
async function drainAndClose(app: FastifyInstance): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), DRAIN_TIMEOUT);
  try {
    await app.close();
  } finally {
    clearTimeout(late);
  }
}

/** Reconciles the running servers with the configuration. */
export class Servers {
  readonly #make: ServerFactory;
  readonly #check: (settings: Configuration) => void;
  readonly #log: Logger;
  readonly #inPod: boolean;
  readonly #running = new Map<ServerName, Running>();

  /**
   * @param check throws UserError if a configuration with servers is unusable
   * @param inPod whether servers run by default
   */
  constructor(make: ServerFactory, check: (settings: Configuration) => void, inPod: boolean, log: Logger) {
    this.#make = make;
    this.#check = check;
    this.#inPod = inPod;
    this.#log = log;
  }

  get any(): boolean {
    return this.#running.size > 0;
  }

  /**
   * Opens, replaces and closes servers as configured.
   * @throws UserError if that fails; the previous servers are then restored
   */
  async reconcile(settings: Configuration): Promise<void> {
    const before = new Map(this.#running);
    const wanted = NAMES.map((name) => [name, this.#specOf(name, settings)] as const);
    if (wanted.some(([name, spec]) => name !== 'health' && spec !== undefined)) this.#check(settings);
    try {
      for (const [name, spec] of wanted) await this.#reconcileServer(name, spec);
    } catch (error) {
      for (const name of NAMES) await this.#putBack(name, before.get(name)?.spec);
      throw error;
    }
  }

  /** Makes a server what it was before. A failure is logged, so that the others are put back too. */
  async #putBack(name: ServerName, spec: ServerSpec | undefined): Promise<void> {
    try {
      await this.#reconcileServer(name, spec);
    } catch (error) {
      this.#log.error({ component: `${name}_server` }, (error as Error).message);
    }
  }

  /** Stops accepting connections, and waits until all requests are answered. */
  async close(): Promise<void> {
    const running = [...this.#running.values()];
    await Promise.all(running.map(({ app }) => app.close()));
    this.#running.clear();
  }

  /** Closes all connections at once. */
  closeAllConnections(): void {
    for (const { app } of this.#running.values()) app.server.closeAllConnections();
  }

  #specOf(name: ServerName, settings: Configuration): ServerSpec | undefined {
    const files = tlsFiles(settings);
    // The kubelet has no client certificate, and health probes return no secrets.
    const tls = name === 'health' ? undefined : files;
    const given = settings[SETTINGS[name]];
    const address = given ?? (this.#inPod ? { host: '', port: PORTS[name] } : 'none');
    return address === 'none' ? undefined : { address, tls };
  }

  async #reconcileServer(name: ServerName, spec: ServerSpec | undefined): Promise<void> {
    const old = this.#running.get(name);
    if (isDeepStrictEqual(old?.spec, spec)) return;
    const next = spec === undefined ? undefined : { spec, app: await this.#make(name, spec) };
    // If the new one has another port, it starts first, so that a failure interrupts no request to the old one.
    const isFirst =
      next !== undefined && old !== undefined && next.spec.address.port !== old.spec.address.port;
    if (isFirst) await this.#open(name, next);
    else this.#running.delete(name);
    // The timeout is short, because the request that caused this reload may be one of its requests.
    if (old !== undefined) await drainAndClose(old.app);
    if (next !== undefined && !isFirst) await this.#open(name, next);
  }

  /** @throws ConfigError if it cannot listen */
  async #open(name: ServerName, { spec, app }: Running): Promise<void> {
    const { host, port } = spec.address;
    const { listen } = await import('../server/app.ts');
    let bound: number;
    try {
      bound = await listen(app, spec.address);
    } catch (error) {
      await app.close();
      throw new ConfigError(
        `cannot listen on ${host}:${port}: ${(error as Error).message}; choose another address with ${FLAGS[name]}, or none`,
        { cause: error },
      );
    }
    this.#running.set(name, { spec, app });
    this.#log.info(
      {
        component: `${name}_server`,
        port: bound,
        tls: spec.tls !== undefined,
      },
      SERVED[name],
    );
  }
}
