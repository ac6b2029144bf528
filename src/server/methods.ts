import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It handles the methods that a path does not allow. */
    other?: boolean;
  }
}

/** The allowed methods of each path, and responses to others. */
export class Methods {
  readonly #allowed = new Map<string, Set<string>>();

  /** All methods that some path allows, for `Allow`. */
  get all(): string {
    return allow(new Set([...this.#allowed.values()].flatMap((methods) => [...methods])));
  }

  /** A method as a label. Unknown methods share one label. */
  known(method: string): string {
    return METHODS.some((each) => each === method) ? method : 'other';
  }

  /** Records a route. */
  add({
    method,
    url,
    config,
  }: {
    readonly method: string | readonly string[];
    readonly url: string;
    readonly config?: unknown;
  }): void {
    if ((config as { readonly other?: boolean } | undefined)?.other === true) return;
    const methods = this.#allowed.get(url) ?? new Set();
    for (const each of [method].flat()) methods.add(each);
    this.#allowed.set(url, methods);
  }

  /** Adds routes for common methods that paths do not allow. Call it after all paths are added. */
  addFallbacks(app: FastifyInstance): void {
    for (const [url, methods] of [...this.#allowed])
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
   * Rejects methods that no route has, such as QUERY, on existing paths.
   * @throws ProblemError with the allowed methods
   */
  rejectOther({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): void {
    const path = (url.split('?', 1)[0] ?? '').replace(/(.)\/$/, '$1');
    const methods = this.#allowed.get(path) ?? this.#ofPattern(path.split('/'));
    if (methods !== undefined) throw notAllowed(method, methods);
  }

  /** The allowed methods of the pattern that matches a path. */
  #ofPattern(path: readonly string[]): ReadonlySet<string> | undefined {
    for (const [pattern, methods] of this.#allowed) {
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
    `${method} is not allowed here; use ${[...methods].sort().join(' or ')}.`,
    {
      headers: { allow: allow(methods) },
    },
  );
