import type { LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction } from 'node:net';
import type { Endpoint } from '../model/discovery.ts';
import { refusedAddress } from './address.ts';
import { type Phase, ProbeFailure, type Progress } from './fetch.ts';
import { MeteredSocket } from './metered-socket.ts';
import { createResolve, type Resolve } from './resolve.ts';

/** Addresses to connect to in place of a host and port: an operator's own word, as curl's `--connect-to`. */
export type ConnectTo = ReadonlyMap<string, { readonly host: string; readonly port: number }>;

/** What stands between a name and a connection; tests put their own in its place. */
export interface Guard {
  readonly resolve: Resolve;
  /** Why an address must not be connected to, or nothing if it may. */
  readonly refused: (address: string) => string | undefined;
}

export const createGuard = (): Guard => ({ resolve: createResolve(), refused: refusedAddress });

/** The addresses of a name. @throws ProbeFailure unless each of them may be connected to */
async function allowed(name: string, { resolve, refused }: Guard): Promise<readonly LookupAddress[]> {
  const addresses = await resolve(name);
  for (const { address } of addresses) {
    const why = refused(address);
    if (why !== undefined) throw new ProbeFailure(`not asked: ${name} resolves to ${why}`, 'refused');
  }
  return addresses;
}

/**
 * Resolves a name once in a probe. Connections are made to what was checked: a name that resolves to something else a
 * moment later changes nothing.
 */
function guardedLookup(guard: Guard, progress: Progress): LookupFunction {
  return (name, options, callback) => {
    progress.addresses ??= allowed(name, guard);
    progress.addresses.then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error) => callback(error, []),
    );
  };
}

/**
 * Connects to an endpoint, with a budget of bytes that may come back.
 * @param at told how far this connection is
 * @throws ProbeFailure for a numeric address that is refused
 */
export function openConnection(
  endpoint: Endpoint,
  connectTo: ConnectTo,
  guard: Guard,
  budget: number,
  at: (phase: Phase) => void,
  progress: Progress,
): MeteredSocket {
  const target = connectTo.get(`${endpoint.host}:${endpoint.port}`);
  const address = endpoint.host.replace(/^\[(.*)\]$/, '$1');
  const isNumeric = isIP(address) !== 0;
  const why = target === undefined && isNumeric ? guard.refused(address) : undefined;
  if (why !== undefined) throw new ProbeFailure(`not asked: ${why}`, 'refused');
  at(target === undefined && !isNumeric ? 'resolving' : 'connecting');
  const socket =
    target === undefined
      ? connect({ host: address, port: endpoint.port, lookup: guardedLookup(guard, progress) })
      : connect({ ...target });
  socket.on('lookup', (error) => {
    if (error === null) at('connecting');
  });
  socket.on('connect', () => at(endpoint.scheme === 'https' ? 'securing' : 'asking'));
  return new MeteredSocket(socket, budget);
}
