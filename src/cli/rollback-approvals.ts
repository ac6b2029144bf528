import { excludedBy } from '../app/excluded.ts';
import { rulesOf } from '../app/pipeline.ts';
import { toolKinds } from '../controller/pass.ts';
import { acceptedText, type RevisionRules, type Unwanted, unwantedIn } from '../controller/unwanted.ts';
import { type Documents, OVERRIDES_KEY } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { approveCommand } from '../planning/approval-place.ts';
import { contentHash } from '../planning/content-hash.ts';
import type { Observed, ReadRevision } from '../planning/observed.ts';
import { heldRollback, standingToolsets } from '../planning/rollback.ts';
import type { CliContext } from './cli-context.ts';
import type { InputFlags } from './input-flags.ts';
import { warn } from './output.ts';
import { storedSettings } from './stored-settings.ts';

/** The published documents and their history. */
export interface PublishedState {
  readonly live: Observed | undefined;
  /** Oldest first. */
  readonly revisions: readonly ReadRevision[];
}

export interface ApprovalFlags extends InputFlags {
  /** Publish what is not approved, switched off or excluded, with a warning. */
  readonly allowUnapproved?: boolean;
}

/** What decides whether a revision may be published again: what `serve` would go by. */
async function rulesNow(
  { live, revisions }: PublishedState,
  flags: InputFlags,
  cli: CliContext,
): Promise<RevisionRules> {
  const { policy, watched } = await storedSettings(flags, cli);
  const areNamespacesKnown = watched !== 'unknown';
  // Also of detectors that are switched off now.
  const kinds = toolKinds(rulesOf({ ...policy, disabledDetectors: [], detectors: {} }).rules);
  return {
    overrides: live === undefined ? revisions.at(-1)?.overrides : live.data[OVERRIDES_KEY],
    generation: { ...policy, kinds },
    areNamespacesKnown,
    excluded: excludedBy(rulesOf(policy).rules, areNamespacesKnown ? policy.namespaces : []),
    standing: standingToolsets(live, revisions),
    revisions,
  };
}

/**
 * The newest revision with tools that may be published, and is neither this one, nor what is published, nor what a rollback that
 * holds was from.
 */
function acceptable(
  to: ReadRevision,
  { live }: PublishedState,
  rules: RevisionRules,
): ReadRevision | undefined {
  const held = heldRollback(live, rules.revisions.at(-1));
  const others = new Set([to, ...(live?.toolset === undefined ? [] : [live.toolset])].map(hashOf));
  if (held !== undefined) others.add(held.from);
  return rules.revisions.findLast(
    (each) =>
      each.toolset.tools.length > 0 &&
      !others.has(hashOf(each)) &&
      unwantedIn(each, rules, OUTPUTS).length === 0,
  );
}

const hashOf = ({ documents }: { readonly documents: Documents }): string => contentHash(documents);

/** Maximum number of Services and entries that the error names. */
const SHOWN = 20;

/** `not approved`, `switched off`, `excluded`, or several of them. */
const whatIsWrong = (culprits: readonly Unwanted[]): string =>
  [...new Set(culprits.map(({ is }) => is))].join(' or ');

function refusalText(culprits: readonly Unwanted[], other: ReadRevision | undefined): string {
  const shown = culprits.slice(0, SHOWN).map(({ where, what }) => `${where}: ${what}`);
  const rest = culprits.length - shown.length;
  const canApprove = culprits.some(({ is, fix }) => is === 'not approved' && fix !== undefined);
  const ways = [
    ...(canApprove ? [`approve what you trust (${approveCommand('NAMESPACE/SERVICE')})`] : []),
    ...(culprits.some(({ is }) => is === 'switched off')
      ? ['switch on in overrides.yaml what you want']
      : []),
    ...(culprits.some(({ is }) => is === 'excluded') ? ['correct the settings of serve'] : []),
    ...(other === undefined
      ? []
      : [
          `return to revision ${other.number}, the newest other toolset without such items, with --to ${other.number}`,
        ]),
  ];
  const way = [...ways, 'publish it anyway with --allow-unapproved'].join(', or ');
  const none = other === undefined ? '; there is no other revision without such items' : '';
  return `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}; ${way}${none}`;
}

/**
 * Checks that a revision has nothing that is not approved, switched off or excluded now. If the user allows that, it is only a
 * warning.
 * @returns what the user accepted
 * @throws FindingsError that names what is not approved, switched off or excluded
 */
export async function checkApprovals(
  to: ReadRevision,
  state: PublishedState,
  target: string,
  flags: ApprovalFlags,
  cli: CliContext,
): Promise<string | undefined> {
  const rules = await rulesNow(state, flags, cli);
  const culprits = unwantedIn(to, rules, OUTPUTS);
  if (culprits.length === 0) return undefined;
  if (flags.allowUnapproved === true) {
    warn(cli.output, culprits);
    return acceptedText(culprits);
  }
  throw new FindingsError(
    `${target} is left as it is, because revision ${to.number} contains items that are ${whatIsWrong(culprits)} now: ${refusalText(culprits, acceptable(to, state, rules))}`,
  );
}
