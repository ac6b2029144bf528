import { rulesOf } from '../app/pipeline.ts';
import { toolKinds } from '../controller/pass.ts';
import { type RevisionRules, type Unwanted, unwantedIn } from '../controller/unwanted.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { approveCommand } from '../planning/admission.ts';
import type { Observed, ReadRevision } from '../planning/observed.ts';
import { standingToolsets } from '../planning/rollback.ts';
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
  /** Publish what is not approved or is switched off, with a warning. */
  readonly allowUnapproved?: boolean;
}

/** What a revision would publish although it is not approved or is switched off now, by what `serve` would go by. */
async function unwantedNow(
  to: ReadRevision,
  { live, revisions }: PublishedState,
  flags: InputFlags,
  cli: CliContext,
): Promise<readonly Unwanted[]> {
  const { policy, watched } = await storedSettings(flags, cli);
  const rules: RevisionRules = {
    overrides: live === undefined ? revisions.at(-1)?.overrides : live.data[OVERRIDES_KEY],
    policy,
    areNamespacesKnown: watched !== 'unknown',
    // Those of all detectors, also of those that are switched off now.
    kinds: toolKinds(rulesOf({ ...policy, disabledDetectors: [], detectors: {} }).rules),
    standing: standingToolsets(live, revisions),
    revisions,
  };
  return unwantedIn(to, rules, OUTPUTS);
}

/** Maximum number of Services and entries that the error names. */
const SHOWN = 20;

/** `not approved`, `switched off` or both. */
const whatIsWrong = (culprits: readonly Unwanted[]): string =>
  [...new Set(culprits.map(({ is }) => is))].join(' or ');

function refusalText(culprits: readonly Unwanted[]): string {
  const shown = culprits.slice(0, SHOWN).map(({ where, what }) => `${where}: ${what}`);
  const rest = culprits.length - shown.length;
  const approve = culprits.some(({ is, fix }) => is === 'not approved' && fix !== undefined)
    ? `approve what you trust (${approveCommand('NAMESPACE/SERVICE')}), `
    : '';
  const switchOn = culprits.some(({ is }) => is === 'switched off')
    ? 'switch on in overrides.yaml what you want, '
    : '';
  return `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}; ${approve}${switchOn}choose another revision with --to, or publish it anyway with --allow-unapproved`;
}

/**
 * Checks that a revision has nothing that is not approved or is switched off now. If the user allows that, it is only a
 * warning.
 * @throws FindingsError that names what is not approved or is switched off
 */
export async function checkApprovals(
  to: ReadRevision,
  state: PublishedState,
  target: string,
  flags: ApprovalFlags,
  cli: CliContext,
): Promise<void> {
  const culprits = await unwantedNow(to, state, flags, cli);
  if (culprits.length === 0) return;
  if (flags.allowUnapproved === true) return warn(cli.output, culprits);
  throw new FindingsError(
    `${target} is left as it is, because revision ${to.number} has what is ${whatIsWrong(culprits)} now: ${refusalText(culprits)}`,
  );
}
