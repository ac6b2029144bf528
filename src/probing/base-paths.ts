import type { Endpoint } from '../model/discovery.ts';
import { withoutTrailing } from '../model/trailing.ts';
import type { ProbeResponse } from './fetch.ts';
import { pathElsewhere, pathOnServer, redirectPath } from './redirect.ts';

/** One request of a probe, with its response. */
export interface Exchange {
  readonly path: string;
  readonly answer: ProbeResponse;
}

/** Maximum base paths to try. */
const MAX_BASES = 3;

/** Maximum characters of a page in which to look for its base. It is among the first elements of the head. */
const MAX_HEAD = 8 * 1024;

const BASE_ELEMENT = /<base\s[^<>]{0,200}?href=(?:"([^"<>]{1,200})"|'([^'<>]{1,200})'|([^\s"'<>]{1,200}))/i;

/**
 * VictoriaMetrics and its kin answer so to every request outside their path.
 * @see https://github.com/VictoriaMetrics/VictoriaMetrics/blob/master/lib/httpserver/httpserver.go
 */
const MISSING_PREFIX = /missing -http\.pathPrefix="([^"]{1,200})"/;

/** A base path as in an endpoint: empty, or with a slash at the start and none at the end. */
const asBase = (path: string): string => withoutTrailing(path, '/');

/** A path and the directories above it, the shortest first: `/a`, `/a/b`, `/a/b/graph`. */
function ancestors(path: string): string[] {
  const words = asBase(path).split('/').slice(1);
  return words.map((_, index) => `/${words.slice(0, index + 1).join('/')}`);
}

/** The base of a redirect: what it puts before the request's path, or any directory of a page to which it leads. */
function basesOfRedirect(asked: string, to: string): string[] {
  return asked !== '/' && to.endsWith(asked) ? [to.slice(0, -asked.length)] : ancestors(to);
}

function basesIn({ path, answer }: Exchange, endpoint: Endpoint): string[] {
  const to = redirectPath(answer, path, endpoint) ?? pathElsewhere(answer, path, endpoint);
  if (to !== undefined) return basesOfRedirect(path, to);
  const start = answer.body.slice(0, MAX_HEAD);
  const [, ...texts] = BASE_ELEMENT.exec(start) ?? MISSING_PREFIX.exec(start) ?? [];
  const href = texts.find((text) => text !== undefined);
  const base = href === undefined ? undefined : pathOnServer(href, path, endpoint);
  return base === undefined ? [] : [asBase(base)];
}

/**
 * The base paths that a server names in its responses: redirects, the `base` element of its pages, and errors. Then the usual
 * ones. Only a few, the most likely first.
 * @param usual the product's usual base paths, with a slash at the start
 */
export function basePathsIn(
  exchanges: readonly Exchange[],
  endpoint: Endpoint,
  usual: readonly string[],
): string[] {
  const named = exchanges.flatMap((exchange) => basesIn(exchange, endpoint));
  const others = new Set([...named, ...usual]);
  return [...others].filter((base) => base !== endpoint.path && base !== '').slice(0, MAX_BASES);
}
