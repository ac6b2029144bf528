import { type Documents, shardOf, type Toolset } from '../model/documents.ts';
import { contentHash } from './content-hash.ts';
import type { Observed, ReadRevision } from './observed.ts';
import {
  ALLOW_REMOVAL,
  CONTENT_HASH,
  INPUTS_HASH,
  type Intent,
  isOurs,
  OVERRIDE_ERROR,
  PUBLISHED_TOOLS,
  REMOVAL_HELD,
  rollbackOf,
} from './plan.ts';
import {
  countsOf,
  type FoundTools,
  failingTools,
  type Gone,
  type Loss,
  losses,
  type RemovalOptions,
  type Removals,
  removals,
  stillMissing,
} from './removals.ts';
import { inputsOf } from './rollback.ts';

/** The published state, the history and the overrides. */
export interface Situation {
  /** The published toolset, if there is one. */
  readonly live: Observed | undefined;
  /** The last toolset that this process published. */
  readonly own: Toolset | undefined;
  /** The last known text of `overrides.yaml`. */
  readonly overrides: string | undefined;
  /** The history, oldest first. */
  readonly revisions: readonly ReadRevision[];
}

/** The generated toolset, and everything else that a decision depends on. */
export interface Inputs {
  /** The toolset generated from the inputs. */
  readonly generated: Toolset;
  /** The faults of the overrides. If set, the generated toolset does not include them. */
  readonly overrideError: string | undefined;
  readonly found: FoundTools;
  /** Options of the hold on mass removals. `undefined` if the user allows any removal. */
  readonly removal: RemovalOptions | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Recently removed tools. */
  readonly gone?: readonly Gone[];
  /**
   * Generates the documents with held tools from the published ones. `undefined` if that is impossible, so that all
   * published documents stay.
   */
  readonly withHeld: (held: readonly string[], published: Toolset) => Toolset | undefined;
  /** Generates the documents without any tool. */
  readonly withoutTools: () => Toolset;
  /** While overrides are invalid: something in the published documents that the settings or the evidence of now do not allow. */
  readonly unwantedInKept?: (kept: Toolset) => string | undefined;
  /** Something that a rollback publishes and that people do not want now, unless they accepted it. */
  readonly unwantedInRollback?: () => string | undefined;
}

/** What to publish, and why, for reports. */
export interface Decision {
  readonly intent: Intent;
  /** Drift: the generated keys that were changed externally, and the documents that we had published. */
  readonly drift: { readonly keys: readonly string[]; readonly published: Documents | undefined } | undefined;
  /** Tools that are held: published for now, although the inputs no longer contain them. */
  readonly held: Pick<Removals, 'held' | 'until' | 'due'>;
  /** Tools that this publication removes. */
  readonly released: readonly Loss[];
  /** Whether a rollback holds the published documents, or just ended. */
  readonly rollback: 'holds' | 'ended' | undefined;
  /** Why the rollback ended, unless the inputs changed; or why the published documents do not stay although overrides are invalid. */
  readonly revoked?: string | undefined;
}

const NOTHING_HELD = { held: [], until: undefined, due: undefined };
const NOTHING_RELEASED: readonly Loss[] = [];

/** The newest known published toolset. */
const newestKnown = ({ own, revisions }: Situation): Toolset | undefined => own ?? revisions.at(-1)?.toolset;

/** The content hash of a toolset. */
const hashOf = ({ documents }: Toolset): string => contentHash(documents);

/** The toolset that we published last: the live one if it is unchanged, otherwise the one in the history. */
export function lastPublished(situation: Situation): Toolset | undefined {
  const { live, own, revisions } = situation;
  if (live === undefined) {
    // Another process (a second serve or a rollback) may have published since, so the history counts. Our own last toolset
    // is newer only if it could not be recorded.
    const recorded = revisions.map(({ toolset }) => toolset).reverse();
    const isRecorded = own === undefined || recorded.some((each) => hashOf(each) === hashOf(own));
    const [newest] = recorded;
    // The tools of what this process published are known even if documents cannot be read back.
    const isOwn = newest !== undefined && own !== undefined && hashOf(newest) === hashOf(own);
    return isRecorded && !isOwn ? newest : own;
  }
  const pointer = live.annotations[CONTENT_HASH];
  if (pointer === undefined) return isOurs(live) ? newestKnown(situation) : undefined;
  const there = live.toolset;
  if (there !== undefined && hashOf(there) === pointer) return there;
  const last =
    own !== undefined && hashOf(own) === pointer
      ? own
      : revisions.findLast(({ documents }) => contentHash(documents) === pointer)?.toolset;
  // Somebody changed the documents, and not what an annotation remembers of them.
  const isRemembered = last !== undefined && last !== own && live.annotations[PUBLISHED_TOOLS] !== undefined;
  return isRemembered ? { ...last, tools: live.present.tools } : last;
}

function driftOf(live: Observed | undefined, published: Toolset | undefined): Decision['drift'] {
  if (live === undefined || !isOurs(live)) return undefined;
  const there = live.toolset;
  if (there !== undefined && hashOf(there) === live.annotations[CONTENT_HASH]) return undefined;
  const documents = published?.documents;
  const names = new Set([...live.names, ...Object.keys(documents ?? {})]);
  const keys = [...names]
    .filter((key) => live.unread?.includes(shardOf(key).shard) !== true)
    .filter((key) => documents === undefined || live.data[key] !== documents[key]);
  return keys.length === 0 ? undefined : { keys, published: documents };
}

/** The last good documents, the drift from them, and the rollback that holds them. */
function baseline(situation: Situation) {
  const { live, revisions } = situation;
  const published = lastPublished(situation);
  const drift = driftOf(live, published);
  // Never keep documents that were edited externally: our own older documents are better.
  const kept = published ?? (drift === undefined ? live?.toolset : newestKnown(situation));
  const rollback = live === undefined ? revisions.at(-1)?.rollback : rollbackOf(live.annotations);
  return { published, drift, kept, rollback };
}

/** The hold as it is published, for decisions that leave it alone. */
const holdOf = (live: Observed | undefined): Pick<Intent, 'removalHeld' | 'inputs'> => ({
  removalHeld: live?.annotations[REMOVAL_HELD],
  inputs: live?.annotations[INPUTS_HASH],
});

/**
 * Decides what to publish. Pure. The generated documents are published, unless invalid overrides or a rollback keep the
 * published ones. Neither keeps what the settings or the evidence of now do not allow. Where no good documents are known, invalid overrides publish no tool: they may disable or approve some.
 * If many tools would be removed at once, these tools are held, and everything else is updated.
 */
export function decide(situation: Situation & Inputs): Decision {
  const { overrides, live, generated, overrideError } = situation;
  const { published, drift, kept, rollback } = baseline(situation);
  const unwanted =
    overrideError === undefined || kept === undefined ? undefined : situation.unwantedInKept?.(kept);
  if (overrideError !== undefined && unwanted === undefined) {
    // The live object may have been replaced by one with nothing but the invalid overrides.
    return {
      intent: {
        ...(kept ?? newestKnown(situation) ?? situation.withoutTools()),
        overrideError,
        rollback,
        overrides,
        ...holdOf(live),
      },
      drift,
      held: NOTHING_HELD,
      released: NOTHING_RELEASED,
      rollback: undefined,
    };
  }
  const isSame = kept !== undefined && rollback !== undefined && inputsOf(rollback) === hashOf(generated);
  const revoked = unwanted ?? (isSame ? situation.unwantedInRollback?.() : undefined);
  if (isSame && revoked === undefined)
    return {
      // The times of held tools count when the rollback ends.
      intent: { ...kept, rollback, overrides, removalHeld: live?.annotations[REMOVAL_HELD] },
      drift,
      held: NOTHING_HELD,
      released: NOTHING_RELEASED,
      rollback: 'holds',
    };
  const ended = rollback === undefined ? undefined : 'ended';
  const { note, noteOfAll, released, ...held } = decideHold(published, situation);
  if (published === undefined || held.held.length === 0)
    return {
      intent: { ...generated, overrides, overrideError },
      drift,
      held: NOTHING_HELD,
      released,
      rollback: ended,
      revoked,
    };
  const withHeldTools = situation.withHeld(held.held, published);
  const isHoldPossible = withHeldTools !== undefined;
  const toolset = withHeldTools ?? published;
  return {
    intent: {
      ...toolset,
      overrides,
      overrideError,
      removalHeld: isHoldPossible ? note : noteOfAll,
      inputs: hashOf(generated),
    },
    drift,
    held: withoutRemoved(held, toolset),
    released: isHoldPossible ? released : NOTHING_RELEASED,
    rollback: ended,
    revoked,
  };
}

/** The hold without the tools that overrides or policies remove from the documents. */
function withoutRemoved(held: Decision['held'], { tools }: Toolset): Decision['held'] {
  const there = new Set(tools.map(({ name }) => name));
  const stay = held.held.filter((tool) => there.has(tool));
  return stay.length === 0 ? NOTHING_HELD : { ...held, held: stay };
}

/** Decides which published tools are held although the inputs no longer contain them. */
function decideHold(
  published: Toolset | undefined,
  { live, generated, found, removal, now, gone = [] }: Situation & Inputs,
): Removals {
  const isAllowed = live?.annotations[ALLOW_REMOVAL] === 'true';
  if (published === undefined || removal === undefined || isAllowed)
    return { ...NOTHING_HELD, released: NOTHING_RELEASED, note: undefined, noteOfAll: undefined };
  const lost = losses(published.tools, generated.tools, found, removal.excluded);
  const note = live?.annotations[REMOVAL_HELD];
  const away = stillMissing(gone, published.tools);
  const failing = failingTools(published.tools, found, removal.excluded);
  return removals(lost, countsOf(published.tools, removal.excluded), note, now, removal, away, failing);
}

/**
 * Decides what to publish without new documents: the last good ones, so that drift is still reverted and a deleted
 * ConfigMap is recreated. Pure.
 * @returns `undefined` if no good documents are known
 */
export function decideToKeep(situation: Situation): Decision | undefined {
  const { drift, kept, rollback } = baseline(situation);
  if (kept === undefined) return undefined;
  const { overrides, live } = situation;
  const overrideError = live?.annotations[OVERRIDE_ERROR];
  return {
    intent: { ...kept, rollback, overrides, overrideError, ...holdOf(live) },
    drift,
    held: NOTHING_HELD,
    released: NOTHING_RELEASED,
    rollback: undefined,
  };
}
