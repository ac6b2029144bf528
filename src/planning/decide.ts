import type { Documents, Toolset } from '../model/documents.ts';
import { contentHash } from './content-hash.ts';
import type { Observed, ReadRevision } from './observed.ts';
import {
  ALLOW_REMOVAL,
  CONTENT_HASH,
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
  type Gone,
  type Loss,
  losses,
  type RemovalOptions,
  type Removals,
  removals,
} from './removals.ts';

/** What was published before, and what people wrote there. */
export interface Situation {
  /** What is published now, if anything. */
  readonly live: Observed | undefined;
  /** What this process published last, if it did. */
  readonly own: Toolset | undefined;
  /** The text of `overrides.yaml` when it was last seen. */
  readonly overrides: string | undefined;
  /** What was published before, the oldest first. */
  readonly revisions: readonly ReadRevision[];
}

/** What the inputs give, and what else a decision depends on. */
export interface Inputs {
  /** The toolset that the inputs give. */
  readonly generated: Toolset;
  /** What is wrong with the overrides, if something is: then they are not in what was generated. */
  readonly overrideError: string | undefined;
  readonly found: FoundTools;
  /** Without: many tools may go at once, because a person said so. */
  readonly removal: RemovalOptions | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tools that went before. */
  readonly gone?: readonly Gone[];
  /**
   * The documents that the inputs give, with tools of what was published; nothing where these cannot be made anew, and
   * all that was published stays as it is.
   */
  readonly withHeld: (held: readonly string[], published: Toolset) => Toolset | undefined;
}

/** What shall be published, and what is to be told of how that came. */
export interface Decision {
  readonly intent: Intent;
  /** The generated keys that somebody else changed since they were published, and what they were. */
  readonly drift: { readonly keys: readonly string[]; readonly published: Documents | undefined } | undefined;
  /** Tools that stay for now, though the inputs do not give them. */
  readonly held: Pick<Removals, 'held' | 'until' | 'due'>;
  /** Tools that go with this. */
  readonly released: readonly Loss[];
  /** A rollback that keeps what is published, or did until now. */
  readonly rollback: 'holds' | 'ended' | undefined;
}

const NOTHING_HELD = { held: [], until: undefined, due: undefined };
const NOTHING_RELEASED: readonly Loss[] = [];

/** What was published and is remembered, the newest first. */
const remembered = ({ own, revisions }: Situation): Toolset[] => [
  ...(own === undefined ? [] : [own]),
  ...revisions.map(({ toolset }) => toolset).reverse(),
];

/** The hash of what a toolset publishes. */
const hashOf = ({ documents }: Toolset): string => contentHash(documents);

/** What was published last: what is there, if nobody touched it since; else what is remembered of it. */
export function lastPublished(situation: Situation): Toolset | undefined {
  const { live, own, revisions } = situation;
  const known = remembered(situation);
  if (live === undefined) {
    // Another process may have published since: a second serve, or a rollback. Only what could not be recorded is newer.
    const recorded = revisions.map(({ toolset }) => toolset).reverse();
    const isRecorded = own === undefined || recorded.some((each) => hashOf(each) === hashOf(own));
    const [newest] = recorded;
    // What this process published has tools, also where documents cannot be read back.
    const isOwn = newest !== undefined && own !== undefined && hashOf(newest) === hashOf(own);
    return isRecorded && !isOwn ? newest : own;
  }
  const pointer = live.annotations[CONTENT_HASH];
  if (pointer === undefined) return isOurs(live) ? known[0] : undefined;
  const there = live.toolset;
  if (there !== undefined && hashOf(there) === pointer) return there;
  const last = known.find((toolset) => hashOf(toolset) === pointer);
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
  const keys = [...names].filter((key) => documents === undefined || live.data[key] !== documents[key]);
  return keys.length === 0 ? undefined : { keys, published: documents };
}

/** The last good documents, what somebody else changed of them, and the rollback that they may belong to. */
function standing(situation: Situation) {
  const { live, revisions } = situation;
  const published = lastPublished(situation);
  const drift = driftOf(live, published);
  // What somebody edited is never what is kept: older documents of ours are better.
  const kept = published ?? (drift === undefined ? live?.toolset : remembered(situation)[0]);
  const rollback = live === undefined ? revisions.at(-1)?.rollback : rollbackOf(live.annotations);
  return { published, drift, kept, rollback };
}

/**
 * Decides which documents shall be published. Pure. What the inputs give is published, unless there is a reason to
 * keep what is: overrides that cannot be read, a rollback, or many tools that would go at once. Of those only they stay.
 */
export function decide(situation: Situation & Inputs): Decision {
  const { overrides, live, generated, overrideError } = situation;
  const { published, drift, kept, rollback } = standing(situation);
  const removalHeld = live?.annotations[REMOVAL_HELD];
  if (overrideError !== undefined)
    return {
      intent: { ...(kept ?? generated), overrideError, rollback, overrides, removalHeld },
      drift,
      held: NOTHING_HELD,
      released: NOTHING_RELEASED,
      rollback: undefined,
    };
  if (kept !== undefined && rollback !== undefined && rollback.from === hashOf(generated))
    return {
      intent: { ...kept, rollback, overrides },
      drift,
      held: NOTHING_HELD,
      released: NOTHING_RELEASED,
      rollback: 'holds',
    };
  const ended = rollback === undefined ? undefined : 'ended';
  const { note, noteOfAll, released, ...held } = heldOf(published, situation);
  if (published === undefined || held.held.length === 0)
    return {
      intent: { ...generated, overrides },
      drift,
      held: NOTHING_HELD,
      released,
      rollback: ended,
    };
  const apart = situation.withHeld(held.held, published);
  const isApart = apart !== undefined;
  const toolset = apart ?? published;
  return {
    intent: { ...toolset, overrides, removalHeld: isApart ? note : noteOfAll },
    drift,
    held: without(held, toolset),
    released: isApart ? released : NOTHING_RELEASED,
    rollback: ended,
  };
}

/** The hold without the tools that overrides or policies remove from the documents. */
function without(held: Decision['held'], { tools }: Toolset): Decision['held'] {
  const there = new Set(tools.map(({ name }) => name));
  const stay = held.held.filter((tool) => there.has(tool));
  return stay.length === 0 ? NOTHING_HELD : { ...held, held: stay };
}

/** Which published tools stay though the inputs do not give them. */
function heldOf(
  published: Toolset | undefined,
  { live, generated, found, removal, now, gone = [] }: Situation & Inputs,
): Removals {
  const isAllowed = live?.annotations[ALLOW_REMOVAL] === 'true';
  if (published === undefined || removal === undefined || isAllowed)
    return { ...NOTHING_HELD, released: NOTHING_RELEASED, note: undefined, noteOfAll: undefined };
  const lost = losses(published.tools, generated.tools, found, removal.excluded);
  const note = live?.annotations[REMOVAL_HELD];
  const there = new Set(published.tools.map(({ name }) => name));
  const away = gone.filter(({ tool }) => !there.has(tool));
  return removals(lost, countsOf(published.tools, removal.excluded), note, now, removal, away);
}

/**
 * Decides what stands when there are no new documents that could be published: the last good ones, so that a hand edit
 * is reverted and a deleted ConfigMap comes back all the same. Pure.
 * @returns nothing where no good documents are known
 */
export function decideToKeep(situation: Situation): Decision | undefined {
  const { drift, kept, rollback } = standing(situation);
  if (kept === undefined) return undefined;
  const { overrides, live } = situation;
  const removalHeld = live?.annotations[REMOVAL_HELD];
  const overrideError = live?.annotations[OVERRIDE_ERROR];
  return {
    intent: { ...kept, rollback, overrides, overrideError, removalHeld },
    drift,
    held: NOTHING_HELD,
    released: NOTHING_RELEASED,
    rollback: undefined,
  };
}
