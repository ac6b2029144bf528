import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { ProblemError } from './problem.ts';

/** A serialized body and its entity tag. */
interface Ready {
  readonly body: Buffer;
  readonly etag: string;
}

/** Maximum size of cached bodies, and maximum number of them. */
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_ENTRIES = 1_000;

/** A response that is not cached, because its key contains arbitrary text from the client. */
export class Uncached {
  readonly answer: unknown;

  constructor(answer: unknown) {
    this.answer = answer;
  }
}

/** Serialized responses, cached by key until the state changes. */
export class ResponseCache {
  readonly #revision: () => number;
  readonly #kept: LRUCache<string, Ready>;
  #of = -1;
  /** Resolves in the next turn without a body; `undefined` if this turn has none yet. */
  #freeTurn: Promise<void> | undefined;

  /**
   * @param revision changes whenever a response may change
   * @param mostBytes maximum size of the cache
   */
  constructor(revision: () => number, mostBytes = MAX_BYTES) {
    this.#revision = revision;
    this.#kept = new LRUCache({
      max: MAX_ENTRIES,
      maxSize: mostBytes,
      sizeCalculation: ({ body }, question) => body.length + 2 * question.length,
    });
  }

  /**
   * Sends JSON, or 304 if the client has the current version. Serializes one body per turn of the event loop, so that many
   * requests for long lists do not delay short ones, such as the kubelet's probes.
   * @param question cache key of everything but the revision that the response depends on
   * @param make returns the response, or its JSON as text or bytes; `Uncached` if it must not be cached
   */
  async send(
    request: FastifyRequest,
    reply: FastifyReply,
    question: string,
    make: () => unknown,
  ): Promise<FastifyReply> {
    let ready = this.#find(question);
    if (ready === undefined) {
      const freeTurn = this.#takeTurn();
      if (freeTurn !== undefined) await freeTurn;
      ready = this.#ready(question, make);
    }
    void reply
      .header('etag', ready.etag)
      .header('cache-control', 'private, no-cache')
      .header('vary', 'authorization');
    if (matchesEtag(request.headers['if-none-match'], ready.etag)) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(ready.body);
  }

  /** Reserves a turn of the event loop. @returns a promise for the turn, or `undefined` if it is this one */
  #takeTurn(): Promise<void> | undefined {
    const mine = this.#freeTurn;
    const next = (mine ?? Promise.resolve()).then(
      () => new Promise<void>((resolve) => setImmediate(resolve)),
    );
    this.#freeTurn = next;
    void next.then(() => {
      if (this.#freeTurn === next) this.#freeTurn = undefined;
    });
    return mine;
  }

  #find(question: string): Ready | undefined {
    const revision = this.#revision();
    if (revision !== this.#of) this.#kept.clear();
    this.#of = revision;
    return this.#kept.get(question);
  }

  #ready(question: string, make: () => unknown): Ready {
    const kept = this.#find(question);
    if (kept !== undefined) return kept;
    const made = make();
    const answer = made instanceof Uncached ? made.answer : made;
    const body = Buffer.isBuffer(answer)
      ? answer
      : Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer));
    const ready = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` };
    if (!(made instanceof Uncached)) this.#kept.set(question, ready);
    return ready;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match */
function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')));
}

/** @throws ProblemError if the client does not accept JSON */
export function mustAcceptJson(request: FastifyRequest): void {
  if (request.accepts().type(['application/json']) === false)
    throw new ProblemError(
      'not-acceptable',
      'Answers are application/json; send Accept: application/json, or none.',
    );
}
