import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import pLimit from 'p-limit';
import { ProbeFailure } from './fetch.ts';

/** Longest time to resolve one name, in milliseconds: well below HEALTH_CHECK_TIMEOUT, so that it shows what was slow. */
const DEADLINE = 2_000;

/** How long one family of addresses waits for the other, in milliseconds, as RFC 8305 recommends. */
const OTHER_FAMILY = 50;

/** Most addresses of one name that are used. */
const ADDRESSES = 16;

/** How many names the system resolves at a time for us: as many as libuv lets run at once beside file access. */
const SYSTEM_LOOKUPS = 2;

/** All addresses of a name. @throws ProbeFailure if it does not resolve in time */
export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** Names of Services are complete, whatever the search list of the Pod says. */
const SERVICE_NAME = /^[^.]+\.[^.]+\.svc\./;

/** The addresses of both families; once there are some, the other family has little time left. */
function ofBothFamilies(
  queries: readonly Promise<readonly LookupAddress[]>[],
): Promise<readonly LookupAddress[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>();
  const found: LookupAddress[] = [];
  let open = queries.length;
  let timer: NodeJS.Timeout | undefined;
  const settled = (error?: unknown): void => {
    open--;
    if (found.length > 0) {
      if (open > 0) timer = setTimeout(() => resolve(found), OTHER_FAMILY);
      else resolve(found);
    } else if (open === 0) reject(error);
    if (open === 0) clearTimeout(timer);
  };
  for (const query of queries)
    query.then((addresses) => {
      found.push(...addresses);
      settled(new Error('no addresses'));
    }, settled);
  return promise;
}

const asked = (addresses: Promise<string[]>, family: 4 | 6): Promise<LookupAddress[]> =>
  addresses.then((all) => all.map((address) => ({ address, family })));

/** Rejects after the deadline. What was begun may end later, and nobody waits for it. */
async function inTime<T>(work: Promise<T>, deadline: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(Object.assign(new Error(), { code: 'no answer from DNS' })),
    deadline,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How names of backends are resolved.
 *
 * Names of Services are asked of the Pod's DNS servers directly, as absolute names. The system's own resolver would first
 * try each suffix of the search list (they have fewer dots than `ndots`), and each look-up would occupy one of the few
 * threads that file access needs too, for as long as DNS is down. Other names, which only the operator can allow, go by the
 * system, so that /etc/hosts and the search list count; few at a time, and only those wait for each other.
 * @param servers addresses of DNS servers in place of the system's
 */
export function createResolve(deadline = DEADLINE, servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: deadline / 2, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const limited = pLimit(SYSTEM_LOOKUPS);
  const addressesOf = (name: string): Promise<readonly LookupAddress[]> =>
    SERVICE_NAME.test(name)
      ? ofBothFamilies([asked(resolver.resolve4(name), 4), asked(resolver.resolve6(name), 6)])
      : limited(() => lookup(name, { all: true }));
  return async (name) => {
    const started = performance.now();
    try {
      return (await inTime(addressesOf(name), deadline)).slice(0, ADDRESSES);
    } catch (error) {
      const { code = 'no address' } = error as NodeJS.ErrnoException;
      const after = ((performance.now() - started) / 1000).toFixed(1);
      throw new ProbeFailure(`its name does not resolve (${code} after ${after} s)`, 'resolution', {
        cause: error,
      });
    }
  };
}
