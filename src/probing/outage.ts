import { isIP } from 'node:net';
import type { Candidate, Fault, Problem, Verdict } from '../model/discovery.ts';

/** What fails for all backends at once, so that it points at this process: its name service, or all of its network. */
export type Outage = 'dns' | 'network';

/** What came of asking one backend. */
export interface Sign {
  readonly candidate: Pick<Candidate, 'endpoint'>;
  readonly verdict: Verdict;
  /** It was reached when it was asked last, or was never asked: if it is lost, that is news. */
  readonly isNews: boolean;
}

/**
 * Fewest backends that must be lost anew before that points at this process. With one, nothing tells a backend that is
 * away from a network that is. Two that were well, and nobody else who can be reached, are seldom a coincidence; and
 * backends whose Pods went away are known by their EndpointSlices and are not asked.
 */
const FEWEST = 2;

const FAULTS: Readonly<Record<Outage, readonly (Fault | undefined)[]>> = {
  dns: ['resolution'],
  network: ['resolution', 'connection'],
};

const hasName = ({ endpoint }: Sign['candidate']): boolean =>
  isIP(endpoint.host.replace(/^\[|\]$/g, '')) === 0;

/** Was a backend asked, whatever came of it? */
export const wasAsked = ({ health, fault }: Verdict): boolean =>
  health !== 'unknown' && fault !== 'not_ready' && fault !== 'refused';

/** Was a backend asked and neither resolved nor connected to? */
export const isLost = (verdict: Verdict): boolean =>
  wasAsked(verdict) && FAULTS.network.includes(verdict.fault);

function areLost(signs: readonly Sign[], outage: Outage, isOngoing: boolean): boolean {
  if (signs.length === 0 || !signs.every(({ verdict }) => FAULTS[outage].includes(verdict.fault)))
    return false;
  return isOngoing || signs.filter(({ isNews }) => isNews).length >= FEWEST;
}

/**
 * Judges what came of asking several backends at about the same time: where none of them could be reached, that says
 * something of this process and nothing of them. Pure.
 * @param before the outage that goes on, if there is one: then a single backend is enough for it to go on
 */
export function outageOf(signs: readonly Sign[], before: Outage | undefined): Outage | undefined {
  const asked = signs.filter(({ verdict }) => wasAsked(verdict));
  // Backends at an address are reached without DNS, and say nothing of it.
  const named = asked.filter(({ candidate }) => hasName(candidate));
  if (asked.length === 0 || (before === 'dns' && named.length === 0)) return before;
  if (areLost(named, 'dns', before !== undefined)) return 'dns';
  return areLost(asked, 'network', before !== undefined) ? 'network' : undefined;
}

const WORDS: Readonly<Record<Outage, string>> = {
  dns: "no name of a backend resolves, which points at this Pod's DNS and not at the backend",
  network: "no backend can be reached, which points at this Pod's DNS or network and not at the backend",
};

/** What is told of a backend that is lost in an outage: nothing is known of its health. */
export function inOutage(outage: Outage, verdict: Verdict): Verdict {
  return { ...verdict, health: 'unknown', reason: `${WORDS[outage]}: ${verdict.reason}` };
}

/** Where a problem is that is an outage. */
export const OUTAGE = 'probes';

/** What a person should know while an outage goes on. */
export function outageProblem(outage: Outage): Problem {
  return {
    where: OUTAGE,
    what: `${WORDS[outage]}s; health is unknown, and published tools stay`,
    fix:
      outage === 'dns'
        ? "look at the cluster's DNS, at /etc/resolv.conf of this Pod, and at NetworkPolicies on port 53; CLUSTER_DOMAIN must be the cluster's"
        : 'look at NetworkPolicies and the network of this Pod and its node',
  };
}
