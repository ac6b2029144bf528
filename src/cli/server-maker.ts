import { type SecureContextOptions, Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { problemLine } from '../model/discovery.ts';
import type { Backing } from '../server/api.ts';
import type { Answered } from '../server/app.ts';
import type { Authenticated, Gate } from '../server/guard.ts';
import type { Exposition } from '../server/metrics.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import type { MakeServer } from './servers.ts';

export interface ServerParts {
  readonly backing: Backing;
  readonly metrics: Exposition;
  readonly log: Logger;
  readonly stopping: () => boolean;
  readonly settings: () => Configuration;
  readonly gate: (settings: Configuration) => Gate;
  readonly answered: (answered: Answered) => void;
  readonly authenticated: (authenticated: Authenticated) => void;
}

/** Makes the servers of `serve` of its parts. What they are made of is loaded when the first one is. */
export function serverMaker(parts: ServerParts): MakeServer {
  const { backing, log, stopping, settings, answered, authenticated } = parts;
  return async (name, { tls }) => {
    const { createApp } = await import('../server/app.ts');
    const { guard } = await import('../server/guard.ts');
    const component = `${name}_server`;
    const gate = (): Gate => {
      const wanted = settings();
      const open = name === 'metrics' && !wanted.metricsAuthEnabled;
      return { ...parts.gate(wanted), ...(open ? { authenticator: undefined } : {}) };
    };
    const namespace = (): string => settings().configMapNamespace;
    const routes = async (app: FastifyInstance): Promise<void> => {
      app.addHook('onRequest', guard({ gate, namespace, log, component, authenticated }));
      if (name === 'metrics') {
        const { metrics } = await import('../server/metrics.ts');
        metrics(parts.metrics)(app);
        return;
      }
      const { api } = await import('../server/api.ts');
      const { health } = await import('../server/health.ts');
      const { describeApi, openapi } = await import('../server/openapi.ts');
      const { page } = await import('../server/page.ts');
      const { shedLoad } = await import('../server/load.ts');
      await shedLoad(app);
      await describeApi(app, backing.version);
      health(backing.view, stopping)(app);
      await app.register(api(backing, log));
      openapi()(app);
      page()(app);
    };
    if (tls === undefined) return await createApp({ log, component, answered, routes });
    const { openTls } = await import('../server/tls.ts');
    const closed = new AbortController();
    let changed = (_: SecureContextOptions): void => {};
    const options = await openTls(
      tls,
      {
        changed: (next) => changed(next),
        failed: (problem) => log.error({ component }, problemLine(problem)),
      },
      closed.signal,
    );
    const app = await createApp({ log, component, answered, routes, tls: options });
    app.addHook('onClose', async () => closed.abort());
    changed = (next) => {
      if (app.server instanceof TlsServer) app.server.setSecureContext(next);
      log.info({ component }, 'the certificate was read again');
    };
    return app;
  };
}
