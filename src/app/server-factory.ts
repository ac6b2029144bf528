import { Server as TlsServer } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { problemLine } from '../model/discovery.ts';
import type { Access } from '../server/access.ts';
import { addressKey } from '../server/address-key.ts';
import type { Backing } from '../server/api.ts';
import type { RequestOutcome } from '../server/app.ts';
import type { AccessPolicy, AuthenticationOutcome } from '../server/guard.ts';
import type { Exposition } from '../server/metrics.ts';
import type { ServerTls } from '../server/tls.ts';
import type { DropReason } from '../telemetry/api-metrics.ts';
import { LogSampler } from '../telemetry/log-sampler.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { ServerFactory, ServerName } from './servers.ts';

export interface ServerDependencies {
  readonly service: Backing;
  readonly metrics: Exposition;
  readonly log: Logger;
  readonly stopping: () => boolean;
  readonly settings: () => Configuration;
  readonly accessPolicy: (settings: Configuration) => AccessPolicy;
  readonly answered: (answered: RequestOutcome) => void;
  readonly authenticated: (authenticated: AuthenticationOutcome) => void;
  readonly dropped: (server: ServerName, reason: DropReason) => void;
}

/**
 * Maximum concurrent connections of each server. It exceeds what Node.js accepts in one turn of the event loop, so a
 * burst cannot displace a connection before its request is read.
 */
const CONNECTIONS = 1_000;
/** Of a server with TLS, which takes 0.1 MiB for each connection. */
const TLS_CONNECTIONS = 300;
const PROBERS_CONNECTIONS = 20;
/** Short, because a kubelet sends its request at once. */
const PROBERS_HEADERS_MS = 3_000;

/** The access that the details of /ready require. */
const READY_DETAILS_ACCESS: Access = { resource: 'statistics', verb: 'get' };

/** The types of all detectors. Empty while the app waits for the cluster. */
function typesOf(backing: Backing): readonly string[] {
  try {
    return backing.types();
  } catch {
    return [];
  }
}

/** Creates the factory for the servers of `serve`. Server code is loaded when the first server is created. */
export function createServerFactory(parts: ServerDependencies): ServerFactory {
  const { service, log, stopping, settings, answered, authenticated, dropped } = parts;
  return async (name, { tls }) => {
    const { createApp } = await import('../server/app.ts');
    const { guard, permitted } = await import('../server/guard.ts');
    const component = `${name}_server`;
    const sampled = new LogSampler();
    const policy = (): AccessPolicy => {
      const wanted = settings();
      const open = name === 'metrics' && !wanted.metricsAuthEnabled;
      return { ...parts.accessPolicy(wanted), ...(open ? { authenticator: undefined } : {}) };
    };
    const namespace = (): string => settings().configMapNamespace;
    const common = {
      log,
      component,
      sampled,
      answered,
      connections: {
        total: tls === undefined ? CONNECTIONS : TLS_CONNECTIONS,
        perAddress: () => (name === 'health' ? PROBERS_CONNECTIONS : settings().maxConnectionsPerAddress),
      },
      ...(name === 'health' ? { headersMs: PROBERS_HEADERS_MS } : {}),
      dropped: (reason: DropReason) => dropped(name, reason),
      take: (address: string) => policy().addresses.take(address),
    };
    const routes = async (app: FastifyInstance): Promise<void> => {
      const { health } = await import('../server/health.ts');
      if (name === 'health') {
        health(service.readModel, stopping, async () => false)(app);
        return;
      }
      app.addHook('onRequest', guard({ policy: policy, namespace, log, component, sampled, authenticated }));
      if (name === 'metrics') {
        const { metrics } = await import('../server/metrics.ts');
        metrics(parts.metrics)(app);
        return;
      }
      const { api } = await import('../server/api.ts');
      const { describeApi, openapi } = await import('../server/openapi.ts');
      const { page } = await import('../server/swagger-ui.ts');
      const { shedLoad } = await import('../server/load.ts');
      await shedLoad(app);
      await describeApi(app, service.version);
      const permits = permitted({ policy: policy, namespace });
      health(service.readModel, stopping, async (request) => {
        if (request.headers.authorization === undefined && policy().authenticator !== undefined) return false;
        return common.take(addressKey(request.ip)).allowed && (await permits(request, READY_DETAILS_ACCESS));
      })(app);
      await app.register(api(service, log, permits));
      openapi(() => typesOf(service))(app);
      page()(app);
    };
    if (tls === undefined) return await createApp({ ...common, routes });
    const { openTls, replaceTls } = await import('../server/tls.ts');
    const closed = new AbortController();
    let changed = (_: ServerTls): void => {};
    const options = await openTls(
      tls,
      {
        changed: (next) => changed(next),
        failed: (problem) => log.error({ component }, problemLine(problem)),
      },
      closed.signal,
    );
    const app = await createApp({ ...common, routes, tls: options });
    app.addHook('onClose', async () => closed.abort());
    let current = options;
    changed = (next) => {
      if (app.server instanceof TlsServer) replaceTls(app.server, current, next);
      current = next;
      log.info({ component }, 'reloaded the certificate');
    };
    return app;
  };
}
