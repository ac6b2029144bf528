import type { FastifyInstance } from 'fastify';
import type { Access } from './access.ts';

/** The text of the metrics, and its content type. */
export interface Exposition {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** The permission to read metrics, if access is reviewed. */
export const METRICS_ACCESS: Access = { path: '/metrics', verb: 'get' };

/** How many times as long as it took to write the text it is sent again, so that requests take at most a tenth of a core. */
const REUSE_FACTOR = 9;

/** Returns the text of now, or of the moment before, as UTF-8. @param now milliseconds */
export function createReader(exposition: Exposition, now = () => performance.now()): () => Promise<Buffer> {
  let text: Promise<Buffer> | undefined;
  let until = Number.POSITIVE_INFINITY;
  return () => {
    if (text !== undefined && now() < until) return text;
    const began = now();
    until = Number.POSITIVE_INFINITY;
    text = exposition.metrics().then(
      (written) => {
        const ended = now();
        until = ended + (ended - began) * REUSE_FACTOR;
        return Buffer.from(written);
      },
      (error: unknown) => {
        text = undefined;
        throw error;
      },
    );
    return text;
  };
}

/** `GET /metrics`, in the format of Prometheus. */
export function metrics(exposition: Exposition): (app: FastifyInstance) => void {
  const read = createReader(exposition);
  return (app) => {
    app.get('/metrics', {
      config: { access: METRICS_ACCESS },
      handler: async (_, reply) =>
        reply
          .header('cache-control', 'no-store')
          .type(exposition.contentType)
          .send(await read()),
    });
  };
}
