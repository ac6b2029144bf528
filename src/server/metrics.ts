import type { FastifyInstance } from 'fastify';
import type { Access } from './access.ts';

/** The text of the metrics, computed for each request, and its content type. */
export interface Exposition {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** The permission to read metrics, if access is reviewed. */
export const METRICS_ACCESS: Access = { path: '/metrics', verb: 'get' };

/** `GET /metrics`, in the format of Prometheus. */
export function metrics(exposition: Exposition): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/metrics', {
      config: { access: METRICS_ACCESS },
      handler: async (_, reply) =>
        reply
          .header('cache-control', 'no-store')
          .type(exposition.contentType)
          .send(await exposition.metrics()),
    });
  };
}
