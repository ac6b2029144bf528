/** The conditions that follow from a probe's verdict. */
import { apiElsewhere } from '../../model/api-elsewhere.ts';
import type { ConditionReason, ConditionStatus, Finding } from '../../model/condition.ts';
import {
  type DiscoveredService,
  type Fault,
  isBlank,
  isKeptForNow,
  type Verdict,
} from '../../model/discovery.ts';

/** Whether there is no result of a probe yet. */
const isUnprobed = (verdict: Verdict): boolean => {
  const { health, proof, fault, pending } = verdict;
  if (pending === true) return true;
  return health === 'unknown' && proof === 'unproven' && fault === undefined && !isBlank(verdict);
};

type Cases<T extends 'Proven' | 'Healthy'> = readonly [
  ConditionStatus,
  ConditionReason<T>,
  fix?: string | undefined,
];

const finding = <T extends 'Proven' | 'Healthy'>(
  type: T,
  [status, reason, fix]: Cases<T>,
  { reason: why }: Verdict,
): Finding<T> => ({ type, status, reason, message: fix === undefined ? why : `${why}; ${fix}` });

function provenCase(found: DiscoveredService): Cases<'Proven'> {
  const { verdict } = found;
  if (verdict.proof === 'contradicted') return ['False', 'AnsweredAsSomethingElse', apiElsewhere(found)];
  if (verdict.proof === 'proven')
    return ['True', verdict.provenAs === undefined ? 'AnsweredAsExpected' : 'AnsweredAsOtherType'];
  if (isUnprobed(verdict)) return ['Unknown', 'NotProbed'];
  if (verdict.authRequired)
    return ['Unknown', 'CredentialsRequired', 'its answers without credentials do not show what it is'];
  return ['Unknown', 'NoProof', verdict.fix ?? 'nothing in its answers confirms or contradicts its type'];
}

/** The condition `Proven`. */
export const proven = (found: DiscoveredService): Finding<'Proven'> =>
  finding('Proven', provenCase(found), found.verdict);

/** The reason and the fix for each fault. */
const FAULTS: Readonly<Record<Fault, Cases<'Healthy'>>> = {
  not_ready: ['False', 'NoReadyEndpoints', 'look at the Pods behind it'],
  refused: ['False', 'AddressRefused', 'probes go to addresses of the cluster only'],
  resolution: [
    'False',
    'NameNotResolved',
    'check CLUSTER_DOMAIN and the DNS of the cluster, or probe from inside the cluster',
  ],
  connection: ['False', 'ConnectionFailed', 'check its Pods, its ports and NetworkPolicies'],
  tls: ['False', 'TLSFailed', 'check its certificate, and whether it speaks TLS on that port'],
  protocol: ['False', 'InvalidAnswer', 'check that the port is the one of its API'],
  timeout: ['False', 'Timeout', 'check its load and NetworkPolicies, or raise HEALTH_CHECK_TIMEOUT'],
};

function healthyCase(verdict: Verdict): Cases<'Healthy'> {
  const { health, fault, proof, authRequired } = verdict;
  if (isUnprobed(verdict)) return ['Unknown', 'NotProbed'];
  if (isBlank(verdict)) return ['Unknown', 'HealthPathNotFound', verdict.fix];
  if (health === 'unknown')
    return ['Unknown', 'Unreachable', 'check the network and the DNS between this program and the backend'];
  if (health === 'unhealthy') {
    if (fault !== undefined) {
      const [status, reason, fix] = FAULTS[fault];
      return [status, reason, verdict.fix ?? fix];
    }
    return proof === 'contradicted' ? FAULTS.protocol : ['False', 'ErrorAnswer', 'look at its log'];
  }
  if (isKeptForNow(verdict)) return ['True', 'FailureThresholdNotReached'];
  return ['True', authRequired ? 'CredentialsRequired' : 'ProbeSucceeded'];
}

/** During an outage, a healthy backend keeps its last verdict, so that its tool stays, but its current health is unknown. */
const OUTAGE: Finding<'Healthy'> = {
  type: 'Healthy',
  status: 'Unknown',
  reason: 'Unreachable',
  message:
    'no backend is reachable, so the last verdict stands; check the network and the DNS of this program first',
};

/** The condition `Healthy`. @param isOutage whether no backend is reachable */
export const healthy = (verdict: Verdict, isOutage: boolean): Finding<'Healthy'> =>
  isOutage && verdict.health === 'healthy' ? OUTAGE : finding('Healthy', healthyCase(verdict), verdict);
