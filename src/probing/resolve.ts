import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import pLimit from 'p-limit';
import { addressesByUdp } from './dns-query.ts';
import { ProbeFailure } from './fetch.ts';
import { createQueryLimits } from './query-limits.ts';

/** Timeout of one name, in milliseconds: well below HEALTH_CHECK_TIMEOUT, so that the verdict shows that DNS was slow. */
const DEADLINE = 2_000;

/** How long to wait for the other address family, in milliseconds, as RFC 8305 recommends. */
const OTHER_FAMILY_DELAY = 50;

/** Maximum addresses per name. */
const MAX_ADDRESSES = 16;

/** Maximum concurrent lookups with the system's resolver, so that libuv's threads stay available for file access. */
const MAX_SYSTEM_LOOKUPS = 2;

/**
 * Resolves all addresses of a name.
 * @param isElsewhere its Service leads to a name that its owner chose, with DNS servers that may be hostile
 * @throws ProbeFailure if it does not resolve in time
 */
export type Resolve = (name: string, isElsewhere?: boolean) => Promise<readonly LookupAddress[]>;

/** Names of Services are absolute, so the search list of the Pod does not apply. */
const SERVICE_NAME = /^[^.]+\.([^.]+)\.svc\./;

/** Returns the addresses of both families. Once there are some, it waits only briefly for the other family. */
function fromBothFamilies(
  queries: readonly Promise<readonly LookupAddress[]>[],
): Promise<readonly LookupAddress[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>();
  const found: LookupAddress[] = [];
  let open = queries.length;
  let timer: NodeJS.Timeout | undefined;
  const settled = (error?: unknown): void => {
    open--;
    if (found.length > 0) {
      if (open > 0) timer = setTimeout(() => resolve(found), OTHER_FAMILY_DELAY);
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

const withFamily = (addresses: Promise<string[]>, family: 4 | 6): Promise<LookupAddress[]> =>
  addresses.then((all) => all.map((address) => ({ address, family })));

const noAnswer = (): Error => Object.assign(new Error(), { code: 'no answer from DNS' });

/** Rejects after the deadline. The work continues in the background. */
async function withTimeout<T>(work: Promise<T>, deadline: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(noAnswer()), deadline);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Creates the resolver for names of backends.
 *
 * Names of Services are queried from the Pod's DNS servers directly, as absolute names. The system's resolver would first
 * try each suffix of the search list (the names have fewer dots than `ndots`), and while DNS is down, its lookups would
 * occupy the few threads that file access needs too. Other names, which only an operator can allow, use the system's
 * resolver with /etc/hosts and the search list, a few at a time. The time to wait for a turn counts toward the deadline. Names
 * that lead elsewhere are queried by UDP alone: their answers are small, and do not arrive on the connection of others, whose
 * queries an invalid one would make fail.
 * @param servers addresses of DNS servers, instead of those of the system
 */
export function createResolve(deadline = DEADLINE, servers?: readonly string[]): Resolve {
  const patience = { timeout: deadline / 2, tries: 2 };
  const resolver = new Resolver(patience);
  if (servers !== undefined) resolver.setServers(servers);
  const limited = pLimit(MAX_SYSTEM_LOOKUPS);
  const inTurn = createQueryLimits();
  /** @throws if the deadline has passed, because its caller has given up by then */
  const addressesOf = async (
    name: string,
    isElsewhere: boolean,
    isOver: () => boolean,
  ): Promise<readonly LookupAddress[]> => {
    const [, namespace] = SERVICE_NAME.exec(name) ?? [];
    const query = async (): Promise<readonly LookupAddress[]> => {
      if (isOver()) throw noAnswer();
      if (namespace === undefined) return lookup(name, { all: true });
      const addresses = (family: 4 | 6): Promise<string[]> =>
        isElsewhere
          ? addressesByUdp(name, family, { ...patience, servers })
          : family === 4
            ? resolver.resolve4(name)
            : resolver.resolve6(name);
      return fromBothFamilies([withFamily(addresses(4), 4), withFamily(addresses(6), 6)]);
    };
    return namespace === undefined ? limited(query) : inTurn({ name, namespace, isElsewhere }, query);
  };
  return async (name, isElsewhere = false) => {
    const started = performance.now();
    const isOver = (): boolean => performance.now() - started >= deadline;
    try {
      const addresses = await withTimeout(addressesOf(name, isElsewhere, isOver), deadline);
      if (addresses.length === 0) throw new Error('no addresses');
      return addresses.slice(0, MAX_ADDRESSES);
    } catch (error) {
      const { code = 'no address' } = error as NodeJS.ErrnoException;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const after = seconds === '0.0' ? '' : ` after ${seconds} s`;
      throw new ProbeFailure(`its name does not resolve (${code}${after})`, 'resolution', {
        cause: error,
      });
    }
  };
}
