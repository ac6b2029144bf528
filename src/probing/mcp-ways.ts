import type { Candidate, Verdict } from '../model/discovery.ts';

/** Where and how a server may speak the protocol. */
export interface Way {
  readonly mode: Candidate['mode'];
  /** Absolute path of the requests. */
  readonly path: string;
}

/** Where the frameworks serve by default, most usual first. */
const USUAL_WAYS: readonly Way[] = [
  { mode: 'streamable-http', path: '/mcp' },
  { mode: 'streamable-http', path: '/mcp/' },
  { mode: 'streamable-http', path: '/' },
  { mode: 'sse', path: '/sse' },
];

/** Maximum ways to try, redirects included. */
export const MAX_WAYS = 5;

/** The ways to try in turn. A path that is not one of the usual ones is an owner's, and is the only one. */
export function waysOf({ mode, endpoint }: Candidate): readonly Way[] {
  const own: Way = { mode, path: endpoint.path === '' ? '/' : endpoint.path };
  const isUsual = USUAL_WAYS.some((way) => way.path === own.path);
  return isUsual ? [own, ...USUAL_WAYS.filter(({ path }) => path !== own.path)] : [own];
}

/** The place of a way, if it differs from the candidate's. */
export function placeOf(
  { mode, path }: Way,
  { endpoint, mode: own }: Candidate,
): Pick<Verdict, 'path' | 'mode'> {
  const base = path === '/' ? '' : path;
  return { ...(base !== endpoint.path && { path: base }), ...(mode !== own && { mode }) };
}
