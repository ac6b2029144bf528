import type { FastifyRequest } from 'fastify';
import { addressKey } from './address-key.ts';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):/;

/**
 * The key under which limits count a user. All ServiceAccounts of a namespace share one, because the owner of a namespace
 * can create any number of them.
 */
export function clientOfUser(username: string): string {
  const namespace = SERVICE_ACCOUNT.exec(username)?.[1];
  return namespace === undefined ? username : `ServiceAccounts of ${namespace}`;
}

/** The client of a request, for limits: by its user, or by its address without authentication. */
export const clientOf = ({ caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>): string =>
  caller === undefined ? addressKey(ip) : clientOfUser(caller.username);
