import { type GenerateOptions, generate } from '../generate/generate.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { type Documents, type Generated, OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Published } from '../model/published.ts';
import type { Revision } from '../model/revision.ts';
import { type Decision, decide } from '../reconcile/decide.ts';
import { faultsLine, readOverrides } from '../reconcile/overrides.ts';
import { fingerprint } from './fingerprint.ts';

/** What was generated, and all that it follows from. */
export interface Made extends Generated {
  readonly fingerprint: string;
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
}

/** What shall be published, and why. */
export interface Assessment {
  readonly decision: Decision;
  readonly made: Made;
  /** What is wrong with the overrides, on one line. */
  readonly faults: string | undefined;
  /** What a person should know of the documents. */
  readonly notes: readonly Problem[];
}

/**
 * What follows from what was found, what people wrote and what was published before. Pure.
 * @param mayShrink many tools may go at once
 */
export function assess(
  found: readonly DiscoveredService[],
  live: Published | undefined,
  revisions: readonly Revision[],
  generation: Omit<GenerateOptions, 'overrides'>,
  { own, seen, made: before }: Memory,
  mayShrink: boolean,
): Assessment {
  // What people wrote counts as it is there or, where all of it was deleted, as it was seen last.
  const text =
    live === undefined
      ? (seen ?? { overrides: revisions.at(-1)?.overrides }).overrides
      : live.data[OVERRIDES_KEY];
  const overrides = readOverrides(text);
  const faults = 'faults' in overrides ? faultsLine(overrides) : undefined;
  const from = { fingerprint: fingerprint(found), overrides: text, generation };
  const isSame =
    before?.fingerprint === from.fingerprint &&
    before.overrides === from.overrides &&
    before.generation === from.generation;
  const made = isSame
    ? before
    : {
        ...generate(found, {
          ...generation,
          overrides: 'value' in overrides ? overrides.value : NO_OVERRIDES,
        }),
        ...from,
      };
  const sick = found.filter(({ verdict }) => verdict.health === 'unhealthy').map(({ tool }) => tool);
  const decision = decide({
    generated: made.documents,
    overrideError: faults,
    live,
    own,
    overrides: text,
    revisions,
    unhealthy: new Set(sick),
    mayShrink,
  });
  return { decision, made, faults, notes: faults === undefined ? made.notes : [] };
}
