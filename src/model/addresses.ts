import type { ObjectKey } from './key.ts';

/** The addresses in the EndpointSlices of one Service, ready or not. */
export interface Addresses {
  /** Unique addresses in canonical form. */
  readonly listed: readonly string[];
  /** Whether a limit was reached, so that the list is incomplete. */
  readonly isCut: boolean;
}

/** The addresses behind Services, from EndpointSlices. */
export interface AddressBook {
  /** The addresses of each Service of a namespace, by name. `undefined` if EndpointSlices are unknown there. */
  addressesIn(
    namespace: Pick<ObjectKey, 'cluster' | 'namespace'>,
  ): ReadonlyMap<string, Addresses> | undefined;
}

/**
 * Converts an IP address to canonical form. The API server accepts IPv4 addresses with leading zeros, which it and
 * kube-proxy parse as decimal numbers, and IPv6 addresses in any form.
 */
export function canonicalAddress(text: string): string {
  if (/^\d{1,12}(\.\d{1,12}){3}$/.test(text)) return text.split('.').map(Number).join('.');
  if (!text.includes(':')) return text.toLowerCase();
  return URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) ?? text.toLowerCase();
}
