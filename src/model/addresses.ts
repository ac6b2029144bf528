import type { ObjectKey } from './key.ts';

/** The addresses in the EndpointSlices of one Service, ready or not. */
export interface Addresses {
  /** Each once, in one spelling. */
  readonly listed: readonly string[];
  /** A limit was reached, so there are more than these. */
  readonly isCut: boolean;
}

/** Where Services lead to, by their EndpointSlices. */
export interface AddressBook {
  /** By name, the Services of a namespace that have EndpointSlices; undefined where these are not known. */
  addressesIn(
    namespace: Pick<ObjectKey, 'cluster' | 'namespace'>,
  ): ReadonlyMap<string, Addresses> | undefined;
}

/**
 * The one spelling of an IP address. The API server takes IPv4 addresses with leading zeros, which it and kube-proxy read as
 * decimal numbers, and IPv6 addresses in any form.
 */
export function canonicalAddress(text: string): string {
  if (/^\d{1,12}(\.\d{1,12}){3}$/.test(text)) return text.split('.').map(Number).join('.');
  if (!text.includes(':')) return text.toLowerCase();
  return URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1) ?? text.toLowerCase();
}
