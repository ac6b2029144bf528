import type { KubeClient } from '../kubernetes/connection.ts';
import { clusterError, failureReason, isStatus } from '../kubernetes/status.ts';
import type { Problem } from '../model/discovery.ts';
import { clusterField, displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import type { Service } from '../model/service.ts';
import type { Change } from './source.ts';

/** The Service in an object, or why it is invalid. */
export type SelectedService = { readonly service: Service } | { readonly skipped: string };

/** Why a namespace could not be read or watched. */
export interface Fault {
  readonly doing: 'list' | 'watch';
  readonly error: unknown;
  /** Milliseconds until the next attempt. */
  readonly retryIn: number;
  /** For a watch that fails again and again: lists work, which take its place. */
  readonly isPolled?: boolean;
}

/** The state of one namespace, or of all namespaces (`*`). */
export interface NamespaceState {
  readonly cluster: string;
  readonly namespace: string;
  /** Whether it was listed at least once. */
  synced: boolean;
  /** Services since the last list, until the next sync is emitted. They are not kept longer. */
  fresh: Map<string, Service> | undefined;
  /** Reasons for skipping invalid objects, by key. */
  skipped: Map<string, string>;
  fault: Fault | undefined;
  /** Whether it was listed again since the last fault of its watch. */
  isRelisted: boolean;
  /** Number of consecutive denied lists. */
  denials: number;
}

export const newState = (namespace: string, cluster: string = HOME_CLUSTER): NamespaceState => ({
  cluster,
  namespace,
  synced: false,
  fresh: undefined,
  skipped: new Map(),
  fault: undefined,
  isRelisted: false,
  denials: 0,
});

/** Replaces the items of a namespace after a list. */
export function replaceItems(state: NamespaceState, items: ReadonlyMap<string, SelectedService>): void {
  state.synced = true;
  state.fresh = new Map();
  state.skipped = new Map();
  for (const [key, read] of items)
    if ('service' in read) state.fresh.set(key, read.service);
    else state.skipped.set(key, read.skipped);
}

/** Consecutive 403s before a namespace is dropped. A starting API server can return spurious 403s. */
const DENIALS = 3;

/** Whether an authenticated request was denied. 401 says nothing about permissions. */
const isForbidden = (error: unknown): boolean => isStatus(error, 403);
const isListDenied = ({ doing, error }: Fault): boolean => doing === 'list' && isForbidden(error);
const isWatchDenied = ({ doing, error }: Fault): boolean => doing === 'watch' && isForbidden(error);
/** Whether a namespace can be listed but not watched, which is not a failure. */
const canBeListed = (fault: Fault): boolean => isWatchDenied(fault) || fault.isPolled === true;

const isExcluded = ({ synced: known, fault, denials }: NamespaceState): boolean =>
  fault !== undefined && isListDenied(fault) && (!known || denials >= DENIALS);

const HOME = { cluster: HOME_CLUSTER };

/** The number of namespaces that may not be listed. */
export const countDenied = (states: readonly NamespaceState[]): number =>
  states.filter(({ fault }) => fault !== undefined && isListDenied(fault)).length;

function faultProblem(state: NamespaceState, fault: Fault, server: string): Problem {
  const all = state.namespace === '*';
  const where = all
    ? `all namespaces${state.cluster === HOME_CLUSTER ? '' : ` of the cluster ${state.cluster}`}`
    : `namespace ${displayNamespace(state)}`;
  const { message } = fault.error as Error;
  if (isWatchDenied(fault))
    return {
      where,
      what: `watching Services was denied, so a change shows only after the discovery interval: ${message}`,
      fix: `grant "watch" on services ${all ? 'with a ClusterRole' : 'there with a Role'}`,
    };
  if (fault.doing === 'watch')
    return {
      where,
      what: `watching Services fails, so a change shows only when they are listed again: ${clusterError(fault.error, 'watch Services', server).message}`,
    };
  if (isListDenied(fault))
    return {
      where,
      what: `listing Services was denied, so ${isExcluded(state) ? 'it is skipped' : 'its last known Services stay for now'}: ${message}`,
      fix: 'grant "list" and "watch" on services there with a Role, or leave it out of the namespaces',
    };
  return { where, what: clusterError(fault.error, 'list Services', server).message };
}

/**
 * Combines all namespaces to a full set, or to a failure if none could be read. A denied namespace is left out. If a namespace fails
 * for another reason, or was not listed again, it is stale, and its earlier Services stay valid.
 */
export function syncChange(
  states: readonly NamespaceState[],
  { server }: Pick<KubeClient, 'server'>,
): Change {
  const ofCluster = clusterField(states[0] ?? HOME);
  const faults = states.flatMap(({ fault, fresh }) =>
    fault === undefined || canBeListed(fault) || (fault.doing === 'watch' && fresh !== undefined)
      ? []
      : [fault],
  );
  const first = faults.find(({ error }) => !isForbidden(error)) ?? faults[0];
  if (first !== undefined && faults.length === states.length) {
    const doing = `${first.doing} Services in ${states.map(({ namespace }) => namespace).join(', ')}`;
    return {
      kind: 'failure',
      ...ofCluster,
      error: clusterError(first.error, doing, server),
      reason: failureReason(first.error),
      retryIn: Math.max(...faults.map(({ retryIn }) => retryIn)),
    };
  }
  const services: Service[] = [];
  const stale: string[] = [];
  const problems: Problem[] = [];
  for (const state of states) {
    const { namespace, fresh, skipped: refused, fault } = state;
    if (fault !== undefined) problems.push(faultProblem(state, fault, server));
    if (isExcluded(state)) continue;
    // If a watch fails right after a list, the list is still fresh.
    if (fresh === undefined) stale.push(namespace);
    for (const service of fresh?.values() ?? []) services.push(service);
    for (const why of refused.values())
      problems.push({ where: `namespace ${displayNamespace(state)}`, what: `a Service is skipped: ${why}` });
  }
  return { kind: 'sync', ...ofCluster, services, stale, problems };
}
