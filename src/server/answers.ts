import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

/** A body that is ready to be sent, and its entity tag. */
interface Ready {
  readonly body: Buffer;
  readonly etag: string;
}

/** Most bodies that are kept: one for each question that was asked since something changed. */
const MOST_KEPT = 200;

/** Bodies of answers, made once for each question and kept until something changed. */
export class Answers {
  readonly #revision: () => number;
  readonly #kept = new Map<string, Ready>();
  #of = -1;

  /** @param revision is another number whenever an answer may be another one */
  constructor(revision: () => number) {
    this.#revision = revision;
  }

  /**
   * Answers with JSON, or with 304 where the client has it already.
   * @param question what the answer depends on beside the revision
   */
  send(request: FastifyRequest, reply: FastifyReply, question: string, make: () => unknown): FastifyReply {
    const revision = this.#revision();
    if (revision !== this.#of) this.#kept.clear();
    this.#of = revision;
    let ready = this.#kept.get(question);
    if (ready === undefined) {
      const made = make();
      const body = Buffer.from(typeof made === 'string' ? made : JSON.stringify(made));
      ready = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` };
      if (this.#kept.size < MOST_KEPT) this.#kept.set(question, ready);
    }
    void reply
      .header('etag', ready.etag)
      .header('cache-control', 'private, no-cache')
      .header('vary', 'authorization');
    if (isKnown(request.headers['if-none-match'], ready.etag)) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(ready.body);
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.if-none-match */
function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')));
}

/** @throws ProblemError where the client takes no JSON */
export function mustAcceptJson(request: FastifyRequest): void {
  if (request.accepts().type(['application/json']) === false)
    throw new ProblemError(
      'not-acceptable',
      'Answers are application/json; send Accept: application/json, or none.',
    );
}

/** One page of a sorted list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  /** Path of the next page. */
  readonly next: string | null;
}

/**
 * The page after a key, of at most so many.
 * @param path of the list
 * @param query as it was given; the next page is asked for with the same
 */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  path: string,
  query: Readonly<Record<string, string>>,
  size: number,
): Page<T> {
  const { after } = query;
  const rest = after === undefined ? all : all.filter((item) => keyOf(item) > after);
  const items = rest.slice(0, size);
  const last = items.at(-1);
  const next =
    last === undefined || rest.length <= size
      ? null
      : `${path}?${new URLSearchParams({ ...query, after: keyOf(last) })}`;
  return { items, total: all.length, next };
}
