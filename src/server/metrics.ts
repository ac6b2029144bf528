import type { FastifyInstance } from 'fastify';
import type { Access } from './access.ts';

/** What is served: a text and its content type, made for each request. */
export interface Exposition {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** The right that reading metrics needs, where access is reviewed. */
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
