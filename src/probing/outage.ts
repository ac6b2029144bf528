import { isIP } from 'node:net';
import { type Candidate, type Fault, OUTAGE_PLACE, type Problem, type Verdict } from '../model/discovery.ts';

/** An outage of this process, for which all probes fail: of its DNS, or of its whole network. */
export type Outage = 'dns' | 'network';

/** The result of one probe. */
export interface ProbeResult {
  readonly candidate: Pick<Candidate, 'endpoint'>;
  readonly verdict: Verdict;
  /** Whether the previous probe reached the backend, or there was none. */
  readonly wasReachable: boolean;
}

/**
 * Minimum number of backends that become unreachable for an outage. A single one may just be down. Two at once, while no
 * other backend is reachable, are rarely a coincidence: backends without Pods are known from EndpointSlices and not
 * probed.
 */
const MIN_UNREACHABLE = 2;

const FAULTS: Readonly<Record<Outage, readonly (Fault | undefined)[]>> = {
  dns: ['resolution'],
  network: ['resolution', 'connection'],
};

const hasName = ({ endpoint }: ProbeResult['candidate']): boolean =>
  isIP(endpoint.host.replace(/^\[|\]$/g, '')) === 0;

/** Whether a request was sent to the backend. */
export const wasProbed = ({ health, fault }: Verdict): boolean =>
  health !== 'unknown' && fault !== 'not_ready' && fault !== 'refused';

/** Whether the backend's name did not resolve, or no connection was possible. */
export const isUnreachable = (verdict: Verdict): boolean =>
  wasProbed(verdict) && FAULTS.network.includes(verdict.fault);

function areUnreachable(results: readonly ProbeResult[], outage: Outage, isOngoing: boolean): boolean {
  if (results.length === 0 || !results.every(({ verdict }) => FAULTS[outage].includes(verdict.fault)))
    return false;
  return isOngoing || results.filter(({ wasReachable }) => wasReachable).length >= MIN_UNREACHABLE;
}

/**
 * Detects an outage from the results of concurrent probes: if none of the backends is reachable, the cause is this
 * process. Pure.
 * @param before the current outage, which a single unreachable backend confirms
 */
export function detectOutage(
  results: readonly ProbeResult[],
  before: Outage | undefined,
): Outage | undefined {
  const asked = results.filter(({ verdict }) => wasProbed(verdict));
  // Backends at a numeric address need no DNS.
  const named = asked.filter(({ candidate }) => hasName(candidate));
  if (asked.length === 0 || (before === 'dns' && named.length === 0)) return before;
  if (areUnreachable(named, 'dns', before !== undefined)) return 'dns';
  return areUnreachable(asked, 'network', before !== undefined) ? 'network' : undefined;
}

const WORDS: Readonly<Record<Outage, string>> = {
  dns: 'no name of a backend resolves, so the cause is probably DNS and not the backend',
  network:
    'no backend can be reached, so the cause is probably DNS or the network of this program, and not the backend',
};

/** The verdict of a backend during an outage: its health is unknown. */
export function verdictInOutage(outage: Outage, verdict: Verdict): Verdict {
  return { ...verdict, health: 'unknown', reason: `${WORDS[outage]}: ${verdict.reason}` };
}

/** The problem to report during an outage. */
export function outageProblem(outage: Outage): Problem {
  return {
    where: OUTAGE_PLACE,
    what: `${WORDS[outage]}s; health is unknown, and published tools stay`,
    fix:
      outage === 'dns'
        ? "look at the cluster's DNS, at /etc/resolv.conf where this program runs, and at NetworkPolicies on port 53; CLUSTER_DOMAIN must be the cluster's"
        : 'look at NetworkPolicies and the network where this program runs',
  };
}
