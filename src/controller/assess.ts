import { isDeepStrictEqual } from 'node:util';
import { assignNames, heldKeys, type Naming, publishedNames } from '../detection/names.ts';
import { type Approvals, approvalsIn } from '../model/approvals.ts';
import { type DiscoveredService, isKeptForNow, type Problem } from '../model/discovery.ts';
import { type Documents, type Generated, OVERRIDES_KEY, type Toolset } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { BEFORE, type InUseSince } from '../model/seniority.ts';
import { runAtOnce, type Steps } from '../model/yield-every.ts';
import { type GenerateOptions, generateInSteps } from '../outputs/generate.ts';
import type { Outputs } from '../outputs/outputs.ts';
import { faultsLine, readOverrides } from '../outputs/read-overrides.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import type { Groups } from '../planning/backend-groups.ts';
import { contentHash } from '../planning/content-hash.ts';
import { type Decision, decide, lastPublished, type Situation } from '../planning/decide.ts';
import type { Observed, ReadRevision } from '../planning/observed.ts';
import { publishedTypes } from '../planning/published-types.ts';
import type { Cause, Excluded, FoundTools, Gone, RemovalOptions } from '../planning/removals.ts';
import { beforeRollback, heldRollback, standingToolsets } from '../planning/rollback.ts';
import { sinceOf, type Use } from './company.ts';
import { fingerprint } from './fingerprint.ts';
import { approximateServices, generateWithHeld, type KnownServices, reconstructServices } from './held.ts';
import { namingOf } from './naming.ts';
import { publishedUse } from './published-use.ts';
import { lastValid, notAccepted, unwantedIn } from './unwanted.ts';

/** Generated documents with all of their inputs. */
export interface GeneratedSnapshot extends Generated {
  readonly fingerprint: string;
  /** The documents that were published at that time, or those from before an active rollback. */
  readonly publishedDocuments: Documents | undefined;
  /** The text of the overrides. */
  readonly overrides: string | undefined;
  readonly generation: Omit<GenerateOptions, 'overrides'>;
}

/** State of earlier passes of this process. */
export interface ReconcileState {
  /** The last state that this process published. */
  readonly own?: Toolset | undefined;
  /** The last seen `overrides.yaml`; with an undefined text, there was none. */
  readonly lastSeenOverrides?: { readonly overrides: string | undefined } | undefined;
  /** The last valid text of `overrides.yaml` that this process saw. */
  readonly lastValidOverrides?: { readonly overrides: string | undefined } | undefined;
  /** The last snapshot, reused while its inputs are the same. */
  readonly lastGenerated?: GeneratedSnapshot | undefined;
  /** The services of the tools that this process published last. */
  readonly known?: KnownServices | undefined;
  /** Tools that this process removed recently. */
  readonly gone?: readonly Gone[];
}

/** The results of discovery, and how to process them. */
export interface Findings {
  readonly found: readonly DiscoveredService[];
  /** Tools of backends that proved to be something else. */
  readonly contradicted: readonly string[];
  readonly generation: Omit<GenerateOptions, 'overrides'>;
  readonly outputs: Outputs<OutputSettings>;
  /** How long removals are held; `undefined`: not at all. */
  readonly removal: RemovalOptions | undefined;
  /** What is in use; absent: as it is published. */
  readonly use?: Use | undefined;
  /** Tools that the settings exclude; absent: none. */
  readonly excluded?: Excluded | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The results of discovery. */
export interface ReconcileInput extends Pick<Findings, 'found' | 'contradicted' | 'use'> {
  /** The Services from which ids of backends are derived; absent: the published ones stay. */
  readonly groups?: Groups | undefined;
}

/** The desired state, and its reasons. */
export interface Assessment {
  readonly decision: Decision;
  readonly generated: GeneratedSnapshot;
  /** The names of tools, for the next pass. */
  readonly naming: Naming;
  /** The approvals; undefined if the overrides are invalid, in which case the previous approvals stay. */
  readonly approvals: Approvals | undefined;
  /** The faults of the overrides, on one line. */
  readonly faults: string | undefined;
  /** Notes about the documents. */
  readonly notes: readonly Problem[];
  /** The services that the desired documents were generated from; none if published documents stay. */
  readonly services: readonly DiscoveredService[];
}

/** When published tools came into use, as far as what is published says so: all of them did before this process. */
const sincePublished = (tools: readonly PublishedTool[], live: Observed | undefined): InUseSince =>
  new Map([
    ...[...heldKeys(publishedNames(tools))].map((key) => [key, BEFORE] as const),
    ...sinceOf(publishedUse(live)),
  ]);

/** The inputs of a decision: the published state, and what this process remembers. */
export function situationOf(
  live: Observed | undefined,
  revisions: readonly ReadRevision[],
  { own, lastSeenOverrides }: ReconcileState,
): Situation {
  // If the whole object was deleted, the last seen overrides count.
  const overrides =
    live === undefined
      ? (lastSeenOverrides ?? { overrides: revisions.at(-1)?.overrides }).overrides
      : live.data[OVERRIDES_KEY];
  return { live, revisions, own, overrides };
}

function causeOf({ verdict }: DiscoveredService): Cause {
  return verdict.fault === 'not_ready' ? 'not ready' : 'unhealthy';
}

function toolsOf({ found, contradicted }: Findings): FoundTools {
  const sick = found.filter(({ verdict }) => verdict.health === 'unhealthy');
  const well = found.filter(({ verdict }) => verdict.health !== 'unhealthy');
  const failing = well.filter(({ verdict }) => isKeptForNow(verdict));
  return {
    usable: new Set(well.map(({ tool }) => tool)),
    failing: new Set(failing.map(({ tool }) => tool)),
    unusable: new Map([
      ...contradicted.map((tool) => [tool, 'contradicted'] as const),
      ...sick.map((service) => [service.tool, causeOf(service)] as const),
    ]),
  };
}

/** The last check of a rollback, because most reconciliations change nothing that it depends on. */
const checked = new WeakMap<
  ReadRevision,
  { readonly of: readonly unknown[]; readonly unwanted: string | undefined }
>();

/**
 * Something that the rollback publishes and that people do not want now, unless they accepted it: overrides or settings may
 * have changed since, also about what only the rollback publishes.
 */
function unwantedInRollback(
  { live, revisions, overrides }: Situation,
  { generation, outputs, excluded }: Findings,
): string | undefined {
  const recorded = revisions.at(-1);
  if (recorded?.rollback === undefined) return undefined;
  const { from, accepted } = recorded.rollback;
  const of = [overrides, generation, excluded, revisions.length];
  const known = checked.get(recorded);
  if (known?.of.every((each, index) => each === of[index])) return known.unwanted;
  // That the rollback itself sends credentials is no reason to go on.
  const standing = standingToolsets(live, revisions);
  const isBefore = standing[0] !== undefined && contentHash(standing[0].documents) === from;
  const rules = {
    overrides,
    generation,
    areNamespacesKnown: true,
    excluded,
    standing,
    onlyConfiguredCredentials: !isBefore,
    revisions,
  };
  const [first] = notAccepted(unwantedIn(recorded, rules, outputs), accepted);
  const unwanted = first && `${first.where} is ${first.is}: ${first.what}`;
  checked.set(recorded, { of, unwanted });
  return unwanted;
}

/**
 * While overrides are invalid: something in the published documents that the settings of now do not allow, or for which there
 * is no evidence now, with the last valid overrides. What a person accepted with a rollback stays.
 * @param generated what the last valid overrides give now
 */
function unwantedInKept(
  kept: Toolset,
  generated: Toolset,
  valid: NonNullable<ReturnType<typeof lastValid>>,
  { live, revisions }: Situation,
  { generation, outputs, excluded }: Findings,
): string | undefined {
  const accepted = heldRollback(live, revisions.at(-1))?.accepted;
  const known = { overrides: valid.text, generation, areNamespacesKnown: true, excluded, revisions };
  const rules = { ...known, standing: [kept], areSettingsKnown: true, onlyConfiguredCredentials: true };
  const unwanted = unwantedIn({ toolset: kept, overrides: valid.text }, rules, outputs);
  const { overrides } = valid;
  const now = { toolsets: [generated], overrides, applied: overrides, isPartial: true };
  const looser = outputs
    .loosened(now, kept)
    .map((each) => ({ ...each, is: 'not approved' as const, detail: each.what }));
  const [first] = notAccepted([...unwanted, ...looser], accepted);
  return first && `${first.where} is ${first.is}: ${first.what}`;
}

/** Why the last toolset does not stay although overrides are invalid. */
const replacedNote = ({ revoked }: Decision): Problem[] =>
  revoked === undefined
    ? []
    : [
        {
          where: OVERRIDES_KEY,
          what: `the last toolset had something that does not stay (${revoked}), so until the file is corrected, the toolset is what its last valid version gives`,
        },
      ];

/** Reported while overrides are invalid and no valid version is known to check the last toolset against. */
const UNCHECKED: Problem = {
  where: OVERRIDES_KEY,
  what: 'no earlier, valid version of it is known, so all of the last toolset stays, even if your settings no longer allow it; correct the file',
};

/** A note about generated documents that are published only when the rollback ends. */
const afterRollback = (note: Problem): Problem => ({
  ...note,
  what: `once the rollback ends, this applies: ${note.what}`,
});

/**
 * Computes the desired state from discovery, overrides and the published state. Pure.
 * @throws as `generate`
 */
export function assess(findings: Findings, situation: Situation, state: ReconcileState): Assessment {
  return runAtOnce(assessInSteps(findings, situation, state));
}

/** The same, in steps. */
export function* assessInSteps(
  findings: Findings,
  situation: Situation,
  state: ReconcileState,
): Steps<Assessment> {
  const { generation, outputs, removal, now } = findings;
  const { overrides: text } = situation;
  const read = readOverrides(text);
  const faults = 'faults' in read ? faultsLine(read) : undefined;
  const seen = state.lastValidOverrides === undefined ? [] : [state.lastValidOverrides];
  const valid = 'value' in read ? undefined : lastValid([...seen, ...situation.revisions]);
  const last = lastPublished(situation) ?? situation.live?.toolset;
  const tools = last?.tools ?? [];
  const before = beforeRollback(situation) ?? last;
  const options = {
    ...generation,
    overrides: 'value' in read ? read.value : (valid?.overrides ?? NO_OVERRIDES),
    inUseSince:
      findings.use === undefined
        ? sincePublished(before?.tools ?? [], situation.live)
        : sinceOf(findings.use),
    publishedTypes: publishedTypes(before?.tools ?? []),
    publishedDocuments: before?.documents,
  };
  const naming = namingOf(
    before?.tools ?? [],
    options.overrides,
    generation.credentials,
    findings.found,
    findings.use,
  );
  const { candidates: found } = assignNames(findings.found, naming);
  yield;
  const { publishedDocuments } = options;
  const from = {
    publishedDocuments,
    fingerprint: fingerprint(found),
    overrides: text,
    generation,
  };
  const earlier = state.lastGenerated;
  const isSame =
    earlier?.fingerprint === from.fingerprint &&
    earlier.overrides === from.overrides &&
    // Limits prefer published tools, and an agent's file may have room for only one backend.
    ((!outputs.usesPublished(generation) && earlier.cuts.length === 0) ||
      isDeepStrictEqual(earlier.publishedDocuments, publishedDocuments)) &&
    earlier.generation === from.generation;
  const generated = isSame ? earlier : { ...(yield* generateInSteps(found, options, outputs)), ...from };
  let kept: ReturnType<typeof generateWithHeld>;
  const decision = decide({
    ...situation,
    generated: { documents: generated.documents, tools: generated.tools },
    overrideError: faults,
    found: toolsOf({ ...findings, found }),
    removal,
    now,
    gone: state.gone ?? [],
    withHeld(held, standing) {
      const keep = (known: KnownServices | undefined) =>
        generateWithHeld(held, found, known, options, outputs);
      kept =
        keep(state.known) ??
        keep(reconstructServices(standing, options, outputs)) ??
        keep(new Map([...approximateServices(standing.tools, held, options.kinds), ...(state.known ?? [])]));
      if (kept === undefined) return undefined;
      return { documents: kept.generated.documents, tools: kept.generated.tools };
    },
    unwantedInKept: (kept) =>
      valid === undefined ? undefined : unwantedInKept(kept, generated, valid, situation, findings),
    unwantedInRollback: () => unwantedInRollback(situation, findings),
    withoutTools() {
      const { documents, tools } = runAtOnce(generateInSteps([], options, outputs));
      return { documents, tools };
    },
  });
  const isUnchecked = valid === undefined && tools.length > 0;
  const stays = isUnchecked ? [UNCHECKED] : replacedNote(decision);
  const about = faults === undefined ? (kept?.generated.notes ?? generated.notes) : stays;
  const notes = decision.rollback === 'holds' ? about.map(afterRollback) : about;
  const approvals = 'value' in read ? approvalsIn(read.value) : undefined;
  // Of documents that stay, other services than the ones of now may be the source: one that fails now worked then.
  const isGenerated = decision.intent.documents === generated.documents;
  const services = kept?.services ?? (isGenerated ? found : []);
  return { decision, generated, naming, approvals, faults, notes, services };
}
