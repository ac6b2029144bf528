import type { ConditionReason, ConditionStatus, Finding } from '../../model/condition.ts';
import type { Approval, Verdict } from '../../model/discovery.ts';
import type { Cut, Omission, Scope } from '../../model/documents.ts';
import { displayKey } from '../../model/key.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import type { ServiceName } from '../../model/service.ts';
import { approveCommand } from '../approval-place.ts';
import { type HeldRemovals, whyHeld } from '../held-removals.ts';
import { OVERRIDE_ERROR, REMOVAL_HELD, ROLLBACK_ANNOTATIONS, rollbackOf } from '../plan.ts';
import type { Cause } from '../removals.ts';

/** The state of the publication as a whole. */
export interface PublicationState {
  /** Whether the published documents were read. */
  readonly isKnown: boolean;
  /** The revision of the rollback that holds. */
  readonly rollback: number | undefined;
  /** The faults of `overrides.yaml`, while they keep the last toolset. */
  readonly overrideError: string | undefined;
  /** The error of the last publication, until one succeeds. */
  readonly failure: string | undefined;
  /** Why the agent does not have what is published, if that is known. */
  readonly agentProblem?: string | undefined;
  /** Whether this process decides what to publish, so that it knows what limits remove. */
  readonly decides: boolean;
  /** The removals that `serve` holds. Absent: none. */
  readonly heldRemovals?: HeldRemovals | undefined;
  /** For a command: the namespaces that `serve` watches. Absent in `serve`, which finds nothing elsewhere. */
  readonly watched?: readonly string[] | 'unknown' | undefined;
  /** For a command, which does not know whether `serve` can publish: the time, and how to see that. */
  readonly asked?: { readonly at: number; readonly seeEvents: string } | undefined;
  /** For a command: whether the settings of `serve` could not be read or used, so that it may decide otherwise. */
  readonly areSettingsUnknown?: boolean | undefined;
}

/** The annotations that contain this state. */
export const STATE_ANNOTATIONS = [OVERRIDE_ERROR, REMOVAL_HELD, ...ROLLBACK_ANNOTATIONS];

/**
 * Reads the state from annotations.
 * @param hold how long `serve` holds a mass removal, in milliseconds, if that is known
 */
export function publicationState(
  annotations: Readonly<Record<string, string>> = {},
  hold?: number,
): Pick<PublicationState, 'rollback' | 'overrideError' | 'heldRemovals'> {
  const note = annotations[REMOVAL_HELD];
  const rollback = rollbackOf(annotations)?.to;
  // While a rollback holds, no hold ends.
  const heldRemovals = note === undefined || rollback !== undefined ? {} : { heldRemovals: { note, hold } };
  return {
    rollback,
    overrideError: annotations[OVERRIDE_ERROR],
    ...heldRemovals,
  };
}

/** What the published documents contain of a backend, while a rollback or invalid overrides keep them as they are. */
export interface StandingFacts {
  /** The documents that do not contain its tool; absent: unknown. */
  readonly leftOutOf?: readonly string[] | undefined;
  /** Its tool, if that has another name or leads to another place than the one that would be published now. */
  readonly differently?: PublishedTool | undefined;
  /** The tool of another of its Services, which they have in place of its own. */
  readonly instead?: PublishedTool | undefined;
}

/** The facts that determine whether a backend is published. */
export interface PublicationFacts {
  readonly state: PublicationState;
  readonly service: ServiceName;
  /** The namespace of its Service. */
  readonly namespace: string;
  /** When its Service was created, RFC 3339, if that is known. */
  readonly created?: string | undefined;
  /** Whether its tool is in `toolset.json`. */
  readonly isPublished: boolean;
  /** The name of its published tool, if it is known. */
  readonly tool?: string | undefined;
  /** What the published documents have of it, while something keeps them as they are. */
  readonly standing?: StandingFacts | undefined;
  /** Whether the last discovery found it. */
  readonly isFound: boolean;
  /** The verdict of its last probe. */
  readonly verdict: Verdict;
  readonly approval: Approval;
  /** Why `overrides.yaml` disables it, as the rest of a sentence. */
  readonly switchedOff: string | undefined;
  /** Whether `overrides.yaml` sets its address, so that its health does not matter. */
  readonly hasOwnAddress: boolean;
  readonly cuts: readonly Cut[];
  readonly omissions: readonly Omission[];
}

type Case = readonly [ConditionStatus, ConditionReason<'Published'>, message: string];

/** Limits that keep a tool out of all documents. */
const KEEPS_OUT: ReadonlySet<Cut['limit']> = new Set(['namespace_tools', 'document_bytes']);

/** Whether a limit keeps a tool out of all documents. */
export const keepsOut = ({ limit }: Cut): boolean => KEEPS_OUT.has(limit);

/** Whether `serve` watches a namespace, as far as it is known. */
export const isWatched = (watched: PublicationState['watched'], namespace: string): boolean =>
  watched === undefined || watched === 'unknown' || watched.includes('*') || watched.includes(namespace);

/** What to do so that `serve` finds a backend. A namespace that it lists by name is trusted. */
function watchRemedy({ namespace, approval, service }: PublicationFacts): string {
  const whole = 'MCP servers and annotated Services there without approval';
  return approval.state === 'waiting'
    ? `to have it published, set NAMESPACES of serve to * and run ${approveCommand(displayKey(service))}; adding ${namespace} by name publishes all ${whole}`
    : `to have it published, add ${namespace} to the setting NAMESPACES of serve, which also publishes ${whole}`;
}

/** The reason if `serve` does not search the namespace of a backend, with any other that would keep it out then. */
function unwatchedReason(facts: PublicationFacts): Case | undefined {
  const { namespace, approval, state } = facts;
  const { watched } = state;
  if (watched === undefined || watched === 'unknown' || isWatched(watched, namespace)) return undefined;
  const found: PublicationFacts = {
    ...facts,
    state: { ...state, watched: undefined },
    approval: approval.state === 'waiting' ? { state: 'approved', reason: '' } : approval,
  };
  const [, , other] = exclusionReason(found) ?? partialCase(found) ?? [];
  const also = other === undefined ? '' : `; even then, this remains: ${other}`;
  const message = `serve watches ${watched.join(', ')} only; ${watchRemedy(facts)}${also}`;
  return ['False', 'NamespaceNotWatched', message];
}

/** The reason that keeps this backend from being published. */
function exclusionReason(facts: PublicationFacts): Case | undefined {
  const { approval, verdict, switchedOff, hasOwnAddress, cuts } = facts;
  // With its own address it is a user's own tool, to which the state of the Service does not apply.
  if (hasOwnAddress && facts.isPublished) return undefined;
  if (!facts.isFound) return ['False', 'NotFound', 'the last discovery did not find it'];
  const unwatched = unwatchedReason(facts);
  if (unwatched !== undefined) return unwatched;
  if (switchedOff !== undefined) return ['False', 'DisabledByOverride', switchedOff];
  if (approval.state === 'listed') return ['False', 'ListedByAgent', approval.reason];
  if (approval.state === 'unknown')
    return holdReason(facts.state) ?? ['Unknown', 'ApprovalUnknown', approval.reason];
  if (approval.state === 'waiting' || approval.state === 'refused' || approval.state === 'off')
    return ['False', 'NotApproved', approval.reason];
  if (hasOwnAddress) return undefined;
  if (verdict.proof === 'contradicted') return ['False', 'NotProven', verdict.reason];
  if (verdict.health === 'unhealthy')
    return ['False', 'Unhealthy', `left out while it is unhealthy: ${verdict.reason}`];
  const cut = cuts.find(keepsOut);
  return cut === undefined ? undefined : ['False', 'LimitReached', cut.why];
}

/** Whether something keeps the published documents as they are, whatever the inputs are. */
export const areDocumentsHeld = (state: PublicationState): boolean => holdReason(state) !== undefined;

/** The reason why nothing is published at the moment. */
function holdReason({ rollback, overrideError, failure }: PublicationState): Case | undefined {
  if (rollback !== undefined)
    return [
      'False',
      'HeldByRollback',
      `the rollback to revision ${rollback} holds until the inputs change; to end it, run dynamic-toolset rollback --end`,
    ];
  if (overrideError !== undefined)
    return [
      'False',
      'OverridesInvalid',
      `overrides.yaml cannot be used, so what is published stays as it is: ${overrideError}; fix it`,
    ];
  if (failure !== undefined) return ['False', 'PublicationFailed', `the last publication failed: ${failure}`];
  return undefined;
}

const NOT_YET_BY_LEADER: Case = [
  'False',
  'NotYetPublished',
  'it is not in what the leader published; only the leader knows whether a limit keeps it out',
];

/** Which documents a tool is in, if some leave it out. */
const placeOf = ({ keptIn, leftOutOf }: Scope): string =>
  keptIn === undefined ? `left out of ${leftOutOf}` : `in ${keptIn} only`;

const OMISSION_CASES: Readonly<
  Record<Omission['cause'], readonly [ConditionStatus, ConditionReason<'Published'>]>
> = {
  credentials: ['False', 'NeedsCredentials'],
  tenant: ['False', 'NeedsTenant'],
  unsupported: ['True', 'NotSupportedByAgent'],
  listed: ['False', 'ListedByAgent'],
  removed: ['False', 'DisabledByAgent'],
  overridden: ['False', 'DisabledByOverride'],
};

/** The case of a tool that is in some of the documents only. `undefined` if it is in all of them. */
function partialCase({ cuts, omissions }: PublicationFacts): Case | undefined {
  const beyond = cuts.find((cut) => cut.leftOutOf !== undefined);
  if (beyond !== undefined) return ['False', 'LimitReached', `${placeOf(beyond)}: ${beyond.why}`];
  const [omission] = omissions;
  if (omission === undefined) return undefined;
  const { cause, why, fix } = omission;
  const message = `${placeOf(omission)}: ${why}${fix === undefined ? '' : `; ${fix}`}`;
  return [...OMISSION_CASES[cause], message];
}

/** What a replica that does not lead knows of a tool: which of the published documents have it. `undefined` if all do. */
function followerCase({ state, standing }: PublicationFacts): Case | undefined {
  const { leftOutOf = [] } = standing ?? {};
  if (state.decides || leftOutOf.length === 0) return undefined;
  return [
    'Unknown',
    'KnownByLeader',
    `left out of ${leftOutOf.join(' and ')}; only the leader knows why, so ask it, or run dynamic-toolset explain`,
  ];
}

/** The case of a tool in documents that are kept as they are. `undefined` if it is unknown which of them contain it. */
function standingCase(facts: PublicationFacts): Case | undefined {
  const { leftOutOf, differently } = facts.standing ?? {};
  const held = holdReason(facts.state);
  if (leftOutOf === undefined || held === undefined) return undefined;
  const as = differently === undefined ? '' : `, as the tool ${differently.name} at ${differently.endpoint}`;
  if (leftOutOf.length === 0) return ['True', 'InToolset', `it is in the published documents${as}`];
  const [status, reason, why] = held;
  return partialCase(facts) ?? [status, reason, `left out of ${leftOutOf.join(' and ')}${as}: ${why}`];
}

/** What a hold of removals says about a published tool that would be left out for this reason. `undefined` if it is not held. */
function heldText({ tool, state, verdict }: PublicationFacts, reason: Case[1]): string | undefined {
  const { heldRemovals } = state;
  const cause: Cause | undefined =
    reason === 'NotFound'
      ? 'gone'
      : reason === 'Unhealthy'
        ? verdict.fault === 'not_ready'
          ? 'not ready'
          : 'unhealthy'
        : reason === 'NotProven'
          ? 'contradicted'
          : undefined;
  if (tool === undefined || heldRemovals === undefined || cause === undefined) return undefined;
  return whyHeld(tool, heldRemovals, cause);
}

/** That the agent may not have the published documents. Empty if it has them, as far as is known. */
const agentText = ({ state: { agentProblem } }: PublicationFacts): string =>
  agentProblem === undefined
    ? ''
    : `; the agent could not be updated, so it may have earlier ones: ${agentProblem}`;

/** The case of a backend whose tool is in the documents. */
function publishedCase(facts: PublicationFacts): Case {
  const reason = exclusionReason(facts);
  if (reason !== undefined) {
    const [, why, message] = holdReason(facts.state) ?? reason;
    const held = heldText(facts, why);
    return [
      'True',
      'KeptForNow',
      `it stays published for now, and would otherwise be left out (${why}: ${message})${held === undefined ? '' : `; ${held}`}`,
    ];
  }
  return (
    standingCase(facts) ??
    followerCase(facts) ??
    partialCase(facts) ?? ['True', 'InToolset', `it is in the published documents${agentText(facts)}`]
  );
}

/** The case of a backend of which the documents have the tool of another Service. `undefined` if they do not. */
function insteadCase(facts: PublicationFacts): Case | undefined {
  const instead = facts.standing?.instead;
  const held = holdReason(facts.state);
  if (instead === undefined || held === undefined) return undefined;
  const [status, reason, why] = held;
  const { name, endpoint } = instead;
  // An agent reaches the backend, although something else than the hold would keep it out.
  if (exclusionReason(facts) !== undefined)
    return [
      'True',
      'KeptForNow',
      `it is published for now, as the tool ${name} at ${endpoint} (${reason}: ${why})`,
    ];
  return [
    status,
    reason,
    `${why}; until then, the documents have the tool ${name} at ${endpoint} for this backend`,
  ];
}

/** What is unknown here, on which the next publication depends. Empty if there is nothing. */
function provisos({ state: { watched, areSettingsUnknown = false }, namespace }: PublicationFacts): string {
  const unknown = [
    ...(watched === 'unknown' ? [`serve watches namespace ${namespace}`] : []),
    ...(areSettingsUnknown ? ['the settings that serve uses, which are unknown here, allow it'] : []),
  ];
  return unknown.length === 0 ? '' : `, if ${unknown.join(', and ')}`;
}

/** How long after a Service was created `serve` has published it, unless something is wrong, in milliseconds. */
const USUALLY_PUBLISHED_MS = 120_000;

/** Where to look if `serve` should have published a backend long ago. Empty if it need not have, or if it is known why. */
function overdueText({ state: { asked }, created = '' }: PublicationFacts): string {
  const due = Date.parse(created) + USUALLY_PUBLISHED_MS;
  return asked === undefined || Number.isNaN(due) || asked.at < due
    ? ''
    : `; its Service is not new, so if this stays, serve cannot publish, and its log and its Events say why: ${asked.seeEvents}`;
}

/** The case of a backend that nothing keeps out, and whose tool is not in the documents yet. */
function notYetCase(facts: PublicationFacts): Case {
  if (!facts.state.decides) return NOT_YET_BY_LEADER;
  const [, , place] = partialCase(facts) ?? [];
  const next = `the next publication adds it${provisos(facts)}`;
  const message = place === undefined ? next : `${next}, ${place}`;
  return ['False', 'NotYetPublished', `${message}${overdueText(facts)}`];
}

/** The condition `Published`: whether an agent that loads the published documents can use the backend. */
export function published(facts: PublicationFacts): Finding<'Published'> {
  const { state, isPublished } = facts;
  const [status, reason, message] = !state.isKnown
    ? (['Unknown', 'NotObserved', 'what is published was not read'] as const)
    : isPublished
      ? publishedCase(facts)
      : (insteadCase(facts) ?? exclusionReason(facts) ?? holdReason(state) ?? notYetCase(facts));
  return { type: 'Published', status, reason, message };
}
