import type { LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction } from 'node:net';
import type { Endpoint } from '../model/discovery.ts';
import { whyForbidden } from './address.ts';
import { type Phase, ProbeFailure, type Progress } from './fetch.ts';
import { MeteredSocket } from './metered-socket.ts';
import { createResolve, type Resolve } from './resolve.ts';

/** Addresses to connect to instead of a host and port, as with curl's `--connect-to`. Only operators can set them. */
export type ConnectTo = ReadonlyMap<string, { readonly host: string; readonly port: number }>;

/** Resolves names and checks addresses before a connection. Tests replace it. */
export interface AddressGuard {
  readonly resolve: Resolve;
  /** Returns why an address is forbidden, or `undefined` if it is allowed. */
  readonly whyForbidden: (address: string) => string | undefined;
}

export const createGuard = (): AddressGuard => ({ resolve: createResolve(), whyForbidden: whyForbidden });

/** Resolves a name. @throws ProbeFailure if any of its addresses is forbidden */
async function resolveAllowed(
  name: string,
  isElsewhere: boolean,
  { resolve, whyForbidden: refused }: AddressGuard,
): Promise<readonly LookupAddress[]> {
  const addresses = await resolve(name, isElsewhere);
  for (const { address } of addresses) {
    const why = refused(address);
    if (why !== undefined)
      throw new ProbeFailure(`not probed: ${name} resolves to ${address}, and ${why}`, 'refused');
  }
  return addresses;
}

/**
 * Resolves a name once per probe. All connections use the checked addresses, so a name that resolves differently later
 * (DNS rebinding) has no effect.
 */
function guardedLookup(guard: AddressGuard, isElsewhere: boolean, progress: Progress): LookupFunction {
  return (name, options, callback) => {
    progress.addresses ??= resolveAllowed(name, isElsewhere, guard);
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

interface ConnectionOptions {
  readonly connectTo: ConnectTo;
  readonly guard: AddressGuard;
  /** Maximum bytes to receive. */
  readonly budget: number;
  /** Called at each phase of the connection. */
  readonly onPhase: (phase: Phase) => void;
  readonly progress: Progress;
  /** The Service leads to a name that its owner chose. */
  readonly isElsewhere: boolean;
  /** For TLS: calls the given function when the next chunk of the handshake may be forwarded. */
  readonly pace?: (forward: () => void) => Promise<void>;
}

/** Connects to an endpoint. @throws ProbeFailure if the endpoint is a forbidden numeric address */
export function openConnection(
  endpoint: Endpoint,
  { connectTo, guard, budget, onPhase, progress, isElsewhere, pace }: ConnectionOptions,
): MeteredSocket {
  const target = connectTo.get(`${endpoint.host}:${endpoint.port}`);
  const address = endpoint.host.replace(/^\[(.*)\]$/, '$1');
  const isNumeric = isIP(address) !== 0;
  const why = target === undefined && isNumeric ? guard.whyForbidden(address) : undefined;
  if (why !== undefined) throw new ProbeFailure(`not probed: ${why}`, 'refused');
  onPhase(target === undefined && !isNumeric ? 'resolving' : 'connecting');
  return new MeteredSocket(
    (onread) => {
      const socket =
        target === undefined
          ? connect({
              host: address,
              port: endpoint.port,
              lookup: guardedLookup(guard, isElsewhere, progress),
              onread,
            })
          : connect({ ...target, onread });
      socket.on('lookup', (error) => {
        if (error === null) onPhase('connecting');
      });
      socket.on('connect', () => onPhase(endpoint.scheme === 'https' ? 'securing' : 'requesting'));
      return socket;
    },
    budget,
    pace,
  );
}
