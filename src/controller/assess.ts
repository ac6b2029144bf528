import { assignNames, heldKeys, type Naming, publishedNames } from '../detection/names.ts';
import { type Approvals, approvalsIn } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { type Documents, type Generated, OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import { contentHash, publishedDocuments } from '../planning/content-hash.ts';
import { type Decision, decide, lastPublished, type Situation } from '../planning/decide.ts';
import { faultsLine, readOverrides } from '../planning/overrides.ts';
import { rollbackOf } from '../planning/plan.ts';
import { publishedTypes } from '../planning/published-types.ts';
import type { Cause, FoundTools, Gone, RemovalOptions } from '../planning/removals.ts';
import { fingerprint } from './fingerprint.ts';
import { type KnownServices, knownFrom, roughlyFrom, withHeld } from './held.ts';
import { namingOf } from './naming.ts';

/** What was generated, and all that it follows from. */
export interface Made extends Generated {
  readonly fingerprint: string;
  /** The `toolset.json` that was published then. */
  readonly publishedText: string | undefined;
  /** The `custom_toolset.yaml` that was published then. */
  readonly publishedFile: string | undefined;
  /** The text of the overrides. */
  readonly overrides: string | undefined;
  readonly generation: Omit<GenerateOptions, 'overrides'>;
}

/** What is remembered of earlier passes, by a process that made some. */
export interface Memory {
  /** What this process published last. */
  readonly own?: Documents | undefined;
  /** `overrides.yaml` as it was last seen; an undefined text: there was none. */
  readonly seen?: { readonly overrides: string | undefined } | undefined;
  /** What was generated last: while it follows from the same, it is the same. */
  readonly made?: Made | undefined;
  /** The services of the tools that this process published last. */
  readonly known?: KnownServices | undefined;
  /** Tools that this process took out. */
  readonly gone?: readonly Gone[];
}

/** What was found, and what is to be made of it. */
export interface Findings {
  readonly found: readonly DiscoveredService[];
  /** Tools of backends that turned out to be something else. */
  readonly contradicted: readonly string[];
  readonly generation: Omit<GenerateOptions, 'overrides'>;
  /** How long removals are held; without, they are not. */
  readonly removal: RemovalOptions | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What shall be published, and why. */
export interface Assessment {
  readonly decision: Decision;
  readonly made: Made;
  /** Who has which name now, for the next pass. */
  readonly naming: Naming;
  /** What people approved; undefined where the overrides cannot be read, and what they said before counts. */
  readonly approvals: Approvals | undefined;
  /** What is wrong with the overrides, on one line. */
  readonly faults: string | undefined;
  /** What a person should know of the documents. */
  readonly notes: readonly Problem[];
  /** The services of the tools in what shall be published. */
  readonly services: readonly DiscoveredService[];
}

/** What is published and what is remembered, as a decision needs it. */
export function situationOf(
  live: Published | undefined,
  revisions: readonly Revision[],
  { own, seen }: Memory,
): Situation {
  // What people wrote counts as it is there or, where all of it was deleted, as it was seen last.
  const overrides =
    live === undefined
      ? (seen ?? { overrides: revisions.at(-1)?.overrides }).overrides
      : live.data[OVERRIDES_KEY];
  return { live, revisions, own, overrides };
}

function causeOf({ verdict }: DiscoveredService): Cause {
  return verdict.fault === 'not_ready' ? 'not ready' : 'unhealthy';
}

function toolsOf({ found, contradicted }: Findings): FoundTools {
  const sick = found.filter(({ verdict }) => verdict.health === 'unhealthy');
  const well = found.filter(({ verdict }) => verdict.health !== 'unhealthy');
  return {
    usable: new Set(well.map(({ tool }) => tool)),
    unusable: new Map([
      ...contradicted.map((tool) => [tool, 'contradicted'] as const),
      ...sick.map((service) => [service.tool, causeOf(service)] as const),
    ]),
  };
}

/**
 * What was published before a rollback that is in force. That is what counts as published for what is generated: else a
 * rollback would change what is generated, and so end itself.
 */
function beforeRollback({ live, revisions }: Situation): Documents | undefined {
  const from = rollbackOf(live?.annotations ?? {})?.from;
  if (from === undefined) return undefined;
  return revisions.find(({ documents }) => contentHash(documents) === from)?.documents;
}

/**
 * What follows from what was found, what people wrote and what was published before. Pure.
 * @throws as `generate`
 */
export function assess(findings: Findings, situation: Situation, memory: Memory): Assessment {
  const { generation, removal, now } = findings;
  const { overrides: text } = situation;
  const read = readOverrides(text);
  const faults = 'faults' in read ? faultsLine(read) : undefined;
  const last = lastPublished(situation) ?? publishedDocuments(situation.live);
  const publishedText = last?.['toolset.json'];
  const before = beforeRollback(situation) ?? last;
  const options = {
    ...generation,
    overrides: 'value' in read ? read.value : NO_OVERRIDES,
    published: heldKeys(publishedNames(publishedText)),
    publishedTypes: publishedTypes(before?.['toolset.json']),
    publishedFile: before?.['custom_toolset.yaml'],
  };
  const naming = namingOf(last, options.overrides, generation.credentials, findings.found);
  const { candidates: found } = assignNames(findings.found, naming);
  const { publishedFile } = options;
  const from = { publishedText, publishedFile, fingerprint: fingerprint(found), overrides: text, generation };
  const earlier = memory.made;
  const isSame =
    earlier?.fingerprint === from.fingerprint &&
    earlier.overrides === from.overrides &&
    // Where a limit takes tools, those that are published stay.
    (earlier.cuts.length === 0 || earlier.publishedText === publishedText) &&
    // The same in the agent's file, which may also have room for one backend only.
    ((generation.holmesgptVersion !== '0.20' && earlier.cuts.length === 0) ||
      earlier.publishedFile === publishedFile) &&
    earlier.generation === from.generation;
  const made = isSame ? earlier : { ...generate(found, options), ...from };
  let kept: ReturnType<typeof withHeld>;
  const decision = decide({
    ...situation,
    generated: made.documents,
    overrideError: faults,
    found: toolsOf({ ...findings, found }),
    removal,
    now,
    gone: memory.gone ?? [],
    withHeld(held, published) {
      kept =
        withHeld(held, found, memory.known, options) ??
        withHeld(held, found, knownFrom(published, options), options) ??
        withHeld(
          held,
          found,
          new Map([...roughlyFrom(published, held, options.kinds), ...(memory.known ?? [])]),
          options,
        );
      return kept?.generated.documents;
    },
  });
  const notes = faults === undefined ? (kept?.generated.notes ?? made.notes) : [];
  const approvals = 'value' in read ? approvalsIn(read.value) : undefined;
  return { decision, made, naming, approvals, faults, notes, services: kept?.services ?? found };
}
