import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress } from '../config/setting-texts.ts';
import { ConfigError } from '../model/errors.ts';
import type { TlsFiles } from '../server/tls.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';

export type ServerName = 'api' | 'metrics' | 'health';

/** What a server is made by; another one needs another server. */
export interface Spec {
  readonly address: ListenAddress;
  readonly tls: TlsFiles | undefined;
}

/** Makes a server that does not listen yet. @throws UserError where its files cannot be used */
export type MakeServer = (name: ServerName, spec: Spec) => Promise<FastifyInstance>;

interface Running {
  readonly spec: Spec;
  readonly app: FastifyInstance;
}

/** Longest time that a server that moves waits for its requests, in milliseconds. */
const MOVE_TIMEOUT = 3_000;

/** Probes are answered first, also while the others are made. */
const NAMES: readonly ServerName[] = ['health', 'api', 'metrics'];
const FLAGS = { api: '--api-address', metrics: '--metrics-address', health: '--health-address' } as const;
const SETTINGS = { api: 'apiAddress', metrics: 'metricsAddress', health: 'healthAddress' } as const;
const SERVED = {
  api: 'the API is served at /api/v1',
  metrics: 'metrics are served at /metrics',
  health: 'probes are served at /health and /ready',
} as const;
/** Ports in a Pod, where nothing is said. */
const PORTS = { api: 8080, metrics: 9090, health: 8081 } as const;

function tlsFiles({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Configuration): TlsFiles | undefined {
  if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined))
    throw new ConfigError(
      'TLS needs a certificate and its key: set both TLS_CERT_FILE (--tls-cert-file) and TLS_KEY_FILE (--tls-key-file), or none',
    );
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    if (tlsClientCaFile !== undefined)
      throw new ConfigError(
        'TLS_CLIENT_CA_FILE (--tls-client-ca-file) needs TLS: also set TLS_CERT_FILE and TLS_KEY_FILE',
      );
    return undefined;
  }
  return { cert: tlsCertFile, key: tlsKeyFile, clientCa: tlsClientCaFile };
}

/** Closes a server when its requests are answered, or after some time without that. */
async function closeSoon(app: FastifyInstance): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), MOVE_TIMEOUT);
  try {
    await app.close();
  } finally {
    clearTimeout(late);
  }
}

/** The servers of `serve`, as the configuration wants them. */
export class Servers {
  readonly #make: MakeServer;
  readonly #check: (settings: Configuration) => void;
  readonly #log: Logger;
  readonly #inPod: boolean;
  readonly #running = new Map<ServerName, Running>();

  /**
   * @param check throws UserError where a configuration with servers cannot be used
   * @param inPod whether there are servers where the configuration says nothing of them
   */
  constructor(make: MakeServer, check: (settings: Configuration) => void, inPod: boolean, log: Logger) {
    this.#make = make;
    this.#check = check;
    this.#inPod = inPod;
    this.#log = log;
  }

  get any(): boolean {
    return this.#running.size > 0;
  }

  /**
   * Opens, moves and closes servers, so that they are as a configuration wants them.
   * @throws UserError where that cannot be; then those that were there before are there again
   */
  async use(settings: Configuration): Promise<void> {
    const before = new Map(this.#running);
    const wanted = NAMES.map((name) => [name, this.#specOf(name, settings)] as const);
    if (wanted.some(([name, spec]) => name !== 'health' && spec !== undefined)) this.#check(settings);
    try {
      for (const [name, spec] of wanted) await this.#reconcileServer(name, spec);
    } catch (error) {
      for (const name of NAMES) await this.#reconcileServer(name, before.get(name)?.spec);
      throw error;
    }
  }

  /** Takes no new connections, and waits until all requests are answered. */
  async close(): Promise<void> {
    const running = [...this.#running.values()];
    await Promise.all(running.map(({ app }) => app.close()));
    this.#running.clear();
  }

  /** Breaks all connections. */
  closeAllConnections(): void {
    for (const { app } of this.#running.values()) app.server.closeAllConnections();
  }

  #specOf(name: ServerName, settings: Configuration): Spec | undefined {
    const files = tlsFiles(settings);
    // A kubelet has no certificate of a client, and nothing here is secret.
    const tls = name === 'health' ? undefined : files;
    const given = settings[SETTINGS[name]];
    const address = given ?? (this.#inPod ? { host: '', port: PORTS[name] } : 'none');
    return address === 'none' ? undefined : { address, tls };
  }

  async #reconcileServer(name: ServerName, spec: Spec | undefined): Promise<void> {
    const old = this.#running.get(name);
    if (isDeepStrictEqual(old?.spec, spec)) return;
    const app = spec === undefined ? undefined : await this.#make(name, spec);
    // The port may be the same one. The request that this is for may come by this server, so it is not waited for long.
    if (old !== undefined) await closeSoon(old.app);
    this.#running.delete(name);
    if (app === undefined || spec === undefined) return;
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
