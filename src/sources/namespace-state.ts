import type { KubeClient } from '../kubernetes/connection.ts';
import { clusterError, failureReason, isStatus } from '../kubernetes/status.ts';
import type { Problem } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import type { Change } from './source.ts';

/** What is read of a Service object: the Service, or why it is none. */
export type Read = { readonly service: Service } | { readonly refused: string };

/** Why a namespace could not be read or watched. */
export interface Fault {
  readonly doing: 'list' | 'watch';
  readonly error: unknown;
  /** Milliseconds until the next try. */
  readonly retryIn: number;
}

/** What is known of one namespace; `*` stands for all. */
export interface NamespaceState {
  readonly namespace: string;
  /** Was it read? */
  known: boolean;
  /** What was read last, in step with all changes since, until it is told on: it is not kept here beyond that. */
  fresh: Map<string, Service> | undefined;
  /** Why some of its objects are no Services, by their keys. */
  refused: Map<string, string>;
  fault: Fault | undefined;
  /** How often in a row listing was refused. */
  denials: number;
}

/** A namespace of which nothing is known yet. */
export const newState = (namespace: string): NamespaceState => ({
  namespace,
  known: false,
  fresh: undefined,
  refused: new Map(),
  fault: undefined,
  denials: 0,
});

/** Brings all that was read of a namespace into its state. */
export function takeAll(state: NamespaceState, items: ReadonlyMap<string, Read>): void {
  state.known = true;
  state.fresh = new Map();
  state.refused = new Map();
  for (const [key, read] of items)
    if ('service' in read) state.fresh.set(key, read.service);
    else state.refused.set(key, read.refused);
}

/** So often in a row a list must be refused before what was known is let go: a server that starts refuses at first. */
const DENIALS = 3;

/** Does the server know who we are, and refuse? Without valid credentials nothing is known of our rights. */
const isForbidden = (error: unknown): boolean => isStatus(error, 403);
const isListDenied = ({ doing, error }: Fault): boolean => doing === 'list' && isForbidden(error);
/** May it be read, but not watched? Then it is not failing. */
const isWatchDenied = ({ doing, error }: Fault): boolean => doing === 'watch' && isForbidden(error);

const isPassedOver = ({ known, fault, denials }: NamespaceState): boolean =>
  fault !== undefined && isListDenied(fault) && (!known || denials >= DENIALS);

/** How many namespaces may not be listed. */
export const deniedAmong = (states: readonly NamespaceState[]): number =>
  states.filter(({ fault }) => fault !== undefined && isListDenied(fault)).length;

function faultProblem(state: NamespaceState, fault: Fault, server: string): Problem {
  const all = state.namespace === '*';
  const where = all ? 'all namespaces' : `namespace ${state.namespace}`;
  const { message } = fault.error as Error;
  if (isWatchDenied(fault))
    return {
      where,
      what: `watching Services was denied, so a change shows only after the discovery interval: ${message}`,
      fix: `grant "watch" on services ${all ? 'with a ClusterRole' : 'there with a Role'}`,
    };
  if (isListDenied(fault))
    return {
      where,
      what: `listing Services was denied, so ${isPassedOver(state) ? 'it is skipped' : 'its last known Services stay for now'}: ${message}`,
      fix: 'grant "list" and "watch" on services there with a Role, or leave it out of the namespaces',
    };
  return { where, what: clusterError(fault.error, `${fault.doing} Services`, server).message };
}

/**
 * What all namespaces together come to: the full set, or a failure when none of them could be read. Services of a
 * namespace that is denied are left out; those of one that fails for another reason, or was not read again, stand.
 */
export function fullSet(states: readonly NamespaceState[], { server }: Pick<KubeClient, 'server'>): Change {
  const faults = states.flatMap(({ fault }) => (fault === undefined || isWatchDenied(fault) ? [] : [fault]));
  const first = faults.find(({ error }) => !isForbidden(error)) ?? faults[0];
  if (first !== undefined && faults.length === states.length) {
    const doing = `${first.doing} Services in ${states.map(({ namespace }) => namespace).join(', ')}`;
    return {
      kind: 'failure',
      error: clusterError(first.error, doing, server),
      reason: failureReason(first.error),
      retryIn: Math.max(...faults.map(({ retryIn }) => retryIn)),
    };
  }
  const services: Service[] = [];
  const unread: string[] = [];
  const problems: Problem[] = [];
  for (const state of states) {
    const { namespace, fresh, refused, fault } = state;
    if (fault !== undefined) problems.push(faultProblem(state, fault, server));
    if (isPassedOver(state)) continue;
    // A watch that fails right after a list does not make the list unread.
    if (fresh === undefined) unread.push(namespace);
    for (const service of fresh?.values() ?? []) services.push(service);
    for (const why of refused.values())
      problems.push({ where: `namespace ${namespace}`, what: `a Service is skipped: ${why}` });
  }
  return { kind: 'sync', services, unread, problems };
}
