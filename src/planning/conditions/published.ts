import type { ConditionReason, ConditionStatus, Finding } from '../../model/condition.ts';
import type { Approval, Verdict } from '../../model/discovery.ts';
import type { Cut, Omission } from '../../model/documents.ts';
import { OVERRIDE_ERROR, ROLLBACK_ANNOTATIONS, rollbackOf } from '../plan.ts';

/** What is known of all that is published. */
export interface PublicationState {
  /** What is published was read. */
  readonly isKnown: boolean;
  /** The rollback that holds, by the number of its revision. */
  readonly rollback: number | undefined;
  /** What is wrong with `overrides.yaml`, while the last toolset stays because of it. */
  readonly overrideError: string | undefined;
  /** Why the last publication failed, until one succeeds. */
  readonly failure: string | undefined;
  /** This process decides what is published, so it knows what limits keep out. */
  readonly decides: boolean;
}

/** Annotations of what is published that tell of its state. */
export const STATE_ANNOTATIONS = [OVERRIDE_ERROR, ...ROLLBACK_ANNOTATIONS];

/** The state that the annotations of what is published tell of. */
export function publicationState(
  annotations: Readonly<Record<string, string>> = {},
): Pick<PublicationState, 'rollback' | 'overrideError'> {
  return { rollback: rollbackOf(annotations)?.to, overrideError: annotations[OVERRIDE_ERROR] };
}

/** What decides whether one backend is published. */
export interface PublicationFacts {
  readonly state: PublicationState;
  /** Its tool is in `toolset.json`. */
  readonly isPublished: boolean;
  /** The last discovery found it. */
  readonly isFound: boolean;
  /** What it answered; while it is not found, what it answered last. */
  readonly verdict: Verdict;
  readonly approval: Approval;
  /** Why `overrides.yaml` leaves it out, as the rest of a sentence about it. */
  readonly switchedOff: string | undefined;
  /** `overrides.yaml` gives its address, so its health does not matter. */
  readonly hasOwnAddress: boolean;
  readonly cuts: readonly Cut[];
  readonly omissions: readonly Omission[];
}

type Case = readonly [ConditionStatus, ConditionReason<'Published'>, message: string];

/** Limits that keep a tool out of all documents. */
const KEEPS_OUT: ReadonlySet<Cut['limit']> = new Set(['namespace_tools', 'document_bytes']);

/** Whether a limit keeps a tool out of all documents. */
export const keepsOut = ({ limit }: Cut): boolean => KEEPS_OUT.has(limit);

/** Why a backend cannot be published as things are, whatever else is published. */
function unfit(facts: PublicationFacts): Case | undefined {
  const { approval, verdict, switchedOff, hasOwnAddress, cuts } = facts;
  // It is a person's own tool then, and nothing that the Service is counts.
  if (hasOwnAddress && facts.isPublished) return undefined;
  if (!facts.isFound) return ['False', 'NotFound', 'the last discovery did not find it'];
  if (switchedOff !== undefined) return ['False', 'DisabledByOverride', switchedOff];
  if (approval.state === 'listed') return ['False', 'ListedByAgent', approval.reason];
  if (approval.state === 'waiting' || approval.state === 'off')
    return ['False', 'NotApproved', approval.reason];
  if (hasOwnAddress) return undefined;
  if (verdict.proof === 'contradicted') return ['False', 'NotProven', verdict.reason];
  if (verdict.health === 'unhealthy')
    return ['False', 'Unhealthy', `left out while it is unhealthy: ${verdict.reason}`];
  const cut = cuts.find(keepsOut);
  return cut === undefined ? undefined : ['False', 'LimitReached', cut.why];
}

/** Why what is published stands still, if it does. */
function standstill({ rollback, overrideError, failure }: PublicationState): Case | undefined {
  if (rollback !== undefined)
    return [
      'False',
      'HeldByRollback',
      `the rollback to revision ${rollback} holds until the inputs change; roll back to the newest revision to end it`,
    ];
  if (overrideError !== undefined)
    return [
      'False',
      'OverridesInvalid',
      `overrides.yaml cannot be used, so the last toolset stays: ${overrideError}; fix it`,
    ];
  if (failure !== undefined) return ['False', 'PublicationFailed', `the last publication failed: ${failure}`];
  return undefined;
}

const YET: Case = ['False', 'NotYetPublished', 'the next publication adds it'];
const YET_ELSEWHERE: Case = [
  'False',
  'NotYetPublished',
  'it is not in what the leader published; only the leader knows whether a limit keeps it out',
];

/** A backend whose tool is in the documents: in which of them, and whether it stays. */
function present(facts: PublicationFacts): Case {
  const reason = unfit(facts);
  if (reason !== undefined) {
    const [, why, message] = standstill(facts.state) ?? reason;
    return ['True', 'KeptForNow', `it is published for now (${why}: ${message})`];
  }
  const beyond = facts.cuts.find(({ limit }) => limit === 'agent_tools' || limit === 'agent_bytes');
  if (beyond !== undefined) return ['False', 'LimitReached', `in toolset.json only: ${beyond.why}`];
  const [omission] = facts.omissions;
  if (omission === undefined) return ['True', 'InToolset', 'it is in the published documents'];
  return omission.cause === 'credentials'
    ? [
        'False',
        'NeedsCredentials',
        `in ${omission.keptIn} only: ${omission.why}; configure credentials for it`,
      ]
    : ['True', 'NotSupportedByAgent', `in ${omission.keptIn} only: ${omission.why}`];
}

/** Whether an agent that reads the published documents gets a backend. */
export function published(facts: PublicationFacts): Finding<'Published'> {
  const { state, isPublished } = facts;
  const [status, reason, message] = !state.isKnown
    ? (['Unknown', 'NotObserved', 'what is published was not read'] as const)
    : isPublished
      ? present(facts)
      : (unfit(facts) ?? standstill(state) ?? (state.decides ? YET : YET_ELSEWHERE));
  return { type: 'Published', status, reason, message };
}
