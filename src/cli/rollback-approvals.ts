import { rulesOf } from '../app/pipeline.ts';
import { approximateServices } from '../controller/held.ts';
import { toolKinds } from '../controller/pass.ts';
import { approvalKind } from '../model/approvals.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { FindingsError } from '../model/errors.ts';
import { displayKey } from '../model/key.ts';
import { addressedService, NO_OVERRIDES } from '../model/overrides.ts';
import { HOSTS, type PublishedTool } from '../model/published-tools.ts';
import { serviceOfHost } from '../model/service-host.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { type AdmissionPolicy, approveCommand } from '../planning/admission.ts';
import type { Observed, ReadRevision } from '../planning/observed.ts';
import { standingToolsets } from '../planning/rollback.ts';
import type { ToolKind } from '../planning/tools.ts';
import { type ApprovalRules, unapproved } from '../planning/unapproved.ts';
import type { CliContext } from './cli-context.ts';
import type { InputFlags } from './input-flags.ts';
import { warn } from './output.ts';
import { type StoredSettings, storedSettings } from './stored-settings.ts';

type Kinds = ReadonlyMap<string, ToolKind>;

/** The published documents and their history. */
export interface PublishedState {
  readonly live: Observed | undefined;
  /** Oldest first. */
  readonly revisions: readonly ReadRevision[];
}

export interface ApprovalFlags extends InputFlags {
  /** Publish what is not approved, with a warning. */
  readonly allowUnapproved?: boolean;
}

/** Tools, and the overrides with which they were made. */
interface Made {
  readonly tools: readonly PublishedTool[];
  readonly overrides: string | undefined;
}

/**
 * The kind of a tool before overrides, as far as it tells; `undefined` for an annotated Service. A type that this command
 * does not know is from a detector of `serve`, unless only the owner's annotation names it.
 */
function kindOf({ type, metadata }: PublishedTool, known: Kinds, isRetyped: boolean): ToolKind | undefined {
  const isMcp = metadata[HOSTS] !== undefined;
  const isAnnotated = metadata.certainty === 'annotation';
  if (isMcp || (!known.has(type) && !isAnnotated)) return { description: '', mappings: {}, mcp: isMcp };
  return isAnnotated && isRetyped ? undefined : known.get(type);
}

/** The namespace of the Service behind a tool. Overrides may publish another one, but the first host of an MCP server is its own. */
const namespaceOf = ({ namespace, metadata }: PublishedTool): string | undefined =>
  serviceOfHost(metadata[HOSTS]?.split(',')[0] ?? '')?.namespace ?? namespace;

/** The Services whose type overrides replace. */
function retypedIn(text: string | undefined): ReadonlySet<string> {
  const read = readOverrides(text);
  const { tools } = 'value' in read ? read.value : NO_OVERRIDES;
  const keys = Object.keys(tools).filter((key) => tools[key]?.type !== undefined);
  return new Set(keys.flatMap((key) => addressedService(key) ?? []).map(displayKey));
}

/** The Services of tools that need approval. A user's own tool has no Service. */
function servicesToApprove({ tools, overrides }: Made, known: Kinds): readonly DiscoveredService[] {
  const retyped = retypedIn(overrides);
  return tools
    .filter(({ metadata }) => metadata.service !== undefined)
    .flatMap((published) => {
      const namespace = namespaceOf(published);
      const tool = namespace === undefined ? published : { ...published, namespace };
      const kind = kindOf(tool, known, retyped.has(`${namespace}/${tool.metadata.service}`));
      const kinds: Kinds = new Map(kind === undefined ? [] : [[tool.type, kind]]);
      return [...approximateServices([tool], [tool.name], kinds).values()];
    })
    .filter((service) => approvalKind(service) !== undefined);
}

/** The kinds of all detectors, also of those that are switched off now. */
const kindsOf = ({ policy }: StoredSettings): Kinds =>
  toolKinds(rulesOf({ ...policy, disabledDetectors: [], detectors: {} }).rules);

/** What `serve` would go by. What it published last counts as trusted. */
function rulesFor(
  { live, revisions }: PublishedState,
  { policy, watched }: StoredSettings,
  servicesOf: (made: Made) => readonly DiscoveredService[],
): ApprovalRules {
  const text = live === undefined ? revisions.at(-1)?.overrides : live.data[OVERRIDES_KEY];
  const read = readOverrides(text);
  const [decided] = standingToolsets(live, revisions);
  const standing = servicesOf({ tools: decided?.tools ?? [], overrides: text });
  if (!('value' in read)) {
    const strict: AdmissionPolicy = { mcpPolicy: policy.mcpPolicy === 'off' ? 'off' : 'approve' };
    return { overrides: NO_OVERRIDES, policy: strict, standing, areNamespacesKnown: false };
  }
  return { overrides: read.value, policy, standing, areNamespacesKnown: watched !== 'unknown' };
}

/**
 * What a revision would give an agent without an approval: Services that need one and have none now, and tools before which the
 * agent would no longer ask.
 */
async function withoutApproval(
  to: ReadRevision,
  state: PublishedState,
  flags: InputFlags,
  cli: CliContext,
): Promise<readonly Problem[]> {
  const settings = await storedSettings(flags, cli);
  const kinds = kindsOf(settings);
  const servicesOf = (made: Made) => servicesToApprove(made, kinds);
  const standing = standingToolsets(state.live, state.revisions).map(({ documents }) => documents);
  const rules = rulesFor(state, settings, servicesOf);
  return [
    ...unapproved(servicesOf({ tools: to.toolset.tools, overrides: to.overrides }), rules),
    ...OUTPUTS.loosened(standing, to.documents, rules.overrides).map((name) => ({
      where: name,
      what: 'the agent would run some of its tools without asking, and asks before them now',
    })),
  ];
}

/** Maximum number of Services and entries that the error names. */
const SHOWN = 20;

function refusalText(culprits: readonly Problem[]): string {
  const shown = culprits.slice(0, SHOWN).map(({ where, what }) => `${where}: ${what}`);
  const rest = culprits.length - shown.length;
  const approve = culprits.some(({ fix }) => fix !== undefined)
    ? `approve what you trust (${approveCommand('NAMESPACE/SERVICE')}), `
    : '';
  return `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}; ${approve}choose another revision with --to, or publish it anyway with --allow-unapproved`;
}

/**
 * Checks that a revision has nothing without the approval that it needs now. If the user allows that, it is only a warning.
 * @throws FindingsError that names what is not approved
 */
export async function checkApprovals(
  to: ReadRevision,
  state: PublishedState,
  target: string,
  flags: ApprovalFlags,
  cli: CliContext,
): Promise<void> {
  const culprits = await withoutApproval(to, state, flags, cli);
  if (culprits.length === 0) return;
  if (flags.allowUnapproved === true) return warn(cli.output, culprits);
  throw new FindingsError(
    `${target} is left as it is, because revision ${to.number} has what is not approved now: ${refusalText(culprits)}`,
  );
}
