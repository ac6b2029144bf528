import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { clientOf } from './client.ts';
import { OpenBodies } from './open-bodies.ts';

/** Responses above this size are sent in pieces of this size, in bytes. */
const PIECE_BYTES = 64 * 1024;
/** Maximum bytes of such responses that clients have not read yet, in total and per client. A long list has 512 KiB. */
const LIMITS = { total: 64 * 1024 * 1024, client: 16 * 1024 * 1024 };

/** The pieces in which a large body is sent. They share its memory. */
export function* piecesOf(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.length; start += PIECE_BYTES)
    yield body.subarray(start, start + PIECE_BYTES);
}

/**
 * Sends large responses piece by piece, as the client reads them, and limits how many bytes wait for clients. At once, TLS
 * would encrypt a whole response into memory that a client which does not read occupies.
 */
export function limitLargeResponses(app: FastifyInstance): void {
  const bodies = new OpenBodies(LIMITS, 'responses that it has not read', true);
  app.addHook('onSend', async (request, reply, payload: unknown) => {
    const body = typeof payload === 'string' && payload.length > PIECE_BYTES ? Buffer.from(payload) : payload;
    if (!Buffer.isBuffer(body) || body.length <= PIECE_BYTES) return payload;
    reply.raw.once('close', bodies.take(clientOf(request), body.length));
    reply.header('content-length', body.length);
    return Readable.from(piecesOf(body), { objectMode: false });
  });
}
