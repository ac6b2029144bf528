import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It answers the methods that a path does not take. */
    other?: boolean;
  }
}

/** Which methods each path takes, and what the others are answered. */
export class Methods {
  readonly #taken = new Map<string, Set<string>>();

  /** All methods that some path takes, for `Allow`. */
  get all(): string {
    return allow(new Set([...this.#taken.values()].flatMap((methods) => [...methods])));
  }

  /** A method as a label: those that a client makes up are one. */
  known(method: string): string {
    return METHODS.some((each) => each === method) ? method : 'other';
  }

  /** Remembers a route that is added. */
  learn({
    method,
    url,
    config,
  }: {
    readonly method: string | readonly string[];
    readonly url: string;
    readonly config?: unknown;
  }): void {
    if ((config as { readonly other?: boolean } | undefined)?.other === true) return;
    const methods = this.#taken.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    this.#taken.set(url, methods);
  }

  /** Adds routes for the usual methods that paths do not take; to be called when all paths are there. */
  answerOthers(app: FastifyInstance): void {
    for (const [url, methods] of [...this.#taken])
      app.route({
        method: METHODS.filter((method) => !methods.has(method) && app.supportedMethods.includes(method)),
        url,
        config: { other: true },
        handler(request, reply) {
          if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow(methods)).send();
          throw notAllowed(request.method, methods);
        },
      });
  }

  /**
   * Refuses the methods that no route has, such as QUERY, where the path is one of ours.
   * @throws ProblemError with the methods that the path takes
   */
  refuseOther({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): void {
    const path = (url.split('?', 1)[0] ?? '').replace(/(.)\/$/, '$1');
    const methods = this.#taken.get(path) ?? this.#ofPattern(path.split('/'));
    if (methods !== undefined) throw notAllowed(method, methods);
  }

  /** What a pattern with parameters takes that a path fits. */
  #ofPattern(path: readonly string[]): ReadonlySet<string> | undefined {
    for (const [pattern, methods] of this.#taken) {
      const parts = pattern.split('/');
      if (
        parts.length === path.length &&
        parts.every((part, at) => part.startsWith(':') || part === path[at])
      )
        return methods;
    }
    return undefined;
  }
}

const allow = (methods: ReadonlySet<string>): string => [...methods, 'OPTIONS'].sort().join(', ');

const notAllowed = (method: string, methods: ReadonlySet<string>): ProblemError =>
  new ProblemError(
    'method-not-allowed',
    `${method} is not taken here; use ${[...methods].sort().join(' or ')}.`,
    {
      headers: { allow: allow(methods) },
    },
  );
