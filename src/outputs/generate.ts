import type { Certificates } from '../model/certificates.ts';
import type { Credentials } from '../model/credentials.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import type { Documents, Generated } from '../model/documents.ts';
import { displayKey } from '../model/key.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import type { InUseSince } from '../model/seniority.ts';
import type { Tenants } from '../model/tenants.ts';
import { runAtOnce, type Steps } from '../model/yield-every.ts';
import { type AdmissionPolicy, admit } from '../planning/admission.ts';
import { approvalConflicts } from '../planning/approval-conflicts.ts';
import { byPrecedence, LIMITS, type Limits, withinCounts } from '../planning/budget.ts';
import { idleCertificates } from '../planning/idle-certificates.ts';
import { idleCredentials } from '../planning/idle-credentials.ts';
import { idleTenants } from '../planning/idle-tenants.ts';
import { mistypedTypes } from '../planning/mistyped-types.ts';
import { publishedTool } from '../planning/published-tool.ts';
import type { PublishedTypes } from '../planning/published-types.ts';
import { withTenants } from '../planning/tenants.ts';
import { type ToolKind, toolsOf } from '../planning/tools.ts';
import type { RenderOptions } from './output.ts';
import type { Outputs } from './outputs.ts';
import { OUTPUTS, type OutputSettings } from './registry.ts';
import { renderWithin } from './render.ts';

export interface GenerateOptions extends AdmissionPolicy, Partial<Limits>, OutputSettings {
  readonly credentials: Credentials;
  /** The tenants with which agents ask backends. */
  readonly tenants?: Tenants;
  /** The files with which probes use TLS, to report keys that apply to nothing. */
  readonly certificates?: Certificates;
  /** What users change and add. */
  readonly overrides: Overrides;
  /** When Services came into use: where a limit takes some, the earlier ones stay. */
  readonly inUseSince?: InUseSince;
  /** The types of tools that are published: one with a user's URL keeps its type. */
  readonly publishedTypes?: PublishedTypes;
  /** The documents that are published. A backend that has a place of which there is one keeps it. */
  readonly publishedDocuments?: Documents | undefined;
  /** The kinds of backends by type, for tools that users add. */
  readonly kinds: ReadonlyMap<string, ToolKind>;
  /** The configured namespaces: their order decides where the agent takes one backend only. */
  readonly namespaces?: readonly string[];
}

const DEFAULTS: GenerateOptions = {
  credentials: {},
  holmesgptVersion: '0.32',
  overrides: NO_OVERRIDES,
  kinds: new Map(),
};

/** The limits that the options name, and the defaults of the others. */
function limitsOf(options: Partial<Limits>): Limits {
  const names = Object.keys(LIMITS) as (keyof Limits)[];
  const all = Object.fromEntries(names.map((name) => [name, options[name] ?? LIMITS[name]]));
  return { ...(all as unknown as Limits), maxAgentBytes: options.maxAgentBytes };
}

/**
 * The documents for what was found and what users changed; a service that is known to be unhealthy is left out. Pure:
 * the same services in any order give the same bytes.
 * @param outputs what is rendered; all that the program has unless given
 * @throws Error if a document does not fulfil its own schema, which is a bug and never the input's fault
 */
export function generate(
  found: readonly DiscoveredService[],
  options: GenerateOptions = DEFAULTS,
  outputs: Outputs<OutputSettings> = OUTPUTS,
): Generated {
  return runAtOnce(generateInSteps(found, options, outputs));
}

/** The same, in steps. */
export function* generateInSteps(
  found: readonly DiscoveredService[],
  options: GenerateOptions,
  outputs: Outputs<OutputSettings>,
): Steps<Generated> {
  const { kinds } = options;
  const { services, held, overrides, waiting, notes: told } = admit(found, options, options.overrides);
  yield;
  const made = toolsOf(services, overrides, kinds, held, options.publishedTypes);
  const { credentials, tenants = {}, certificates = {} } = options;
  const tools = withTenants(made.tools, tenants);
  const idle = [
    ...idleCredentials(credentials, tools, { found, kinds }),
    ...idleTenants(tenants, tools, { found, kinds }),
    ...idleCertificates(certificates, { found, kinds }),
    ...mistypedTypes(options.overrides, [...kinds.keys()]).map(({ key, ...problem }) => ({
      where: `overrides.yaml, tool ${key}`,
      ...problem,
    })),
  ];
  yield;
  const limits = limitsOf(options);
  const limited = withinCounts(byPrecedence(tools, options.inUseSince ?? new Map()), limits);
  const rendering: RenderOptions & OutputSettings = {
    ...options,
    overrides,
    limits,
    found,
    published: options.publishedDocuments,
  };
  yield;
  const rendered = yield* renderWithin(outputs.all, limited.tools, rendering);
  yield;
  const limitNotes = [...limited.notes, ...rendered.limitNotes];
  return {
    documents: rendered.documents,
    tools: rendered.tools.map(publishedTool).sort((a, b) => (a.name < b.name ? -1 : 1)),
    notes: [
      ...told,
      ...approvalConflicts(options.overrides),
      ...made.notes,
      ...idle,
      ...rendered.notes,
      ...limitNotes,
    ],
    limitNotes,
    cuts: [...limited.cuts, ...rendered.cuts],
    omissions: rendered.omissions,
    waiting: waiting.map(({ service }) => displayKey(service)),
    held: held.map(({ service }) => displayKey(service)),
    unhealthy: made.unhealthy.map(({ service }) => displayKey(service)),
  };
}
