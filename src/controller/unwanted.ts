import { createHash } from 'node:crypto';
import { approvalKind } from '../model/approvals.ts';
import type { Problem } from '../model/discovery.ts';
import type { Toolset } from '../model/documents.ts';
import { addressedService, NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import type { Outputs } from '../outputs/outputs.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import type { Standing } from '../outputs/standing.ts';
import type { AdmissionPolicy } from '../planning/admission.ts';
import { contentHash } from '../planning/content-hash.ts';
import { forbidden } from '../planning/forbidden.ts';
import type { ReadRevision } from '../planning/observed.ts';
import type { Excluded } from '../planning/removals.ts';
import { type ApprovalRules, unapproved } from '../planning/unapproved.ts';
import { type Behind, behind } from './published-services.ts';

/** What decides whether an earlier revision may be published again. */
export interface RevisionRules {
  /** The text of `overrides.yaml` as it is now. */
  readonly overrides: string | undefined;
  /** What `serve` goes by, as far as it is known. */
  readonly generation: Omit<GenerateOptions, 'overrides'>;
  readonly areNamespacesKnown: boolean;
  /** Whether all settings of `serve` are known. If not, what it published counts as approved by settings that are unknown here. */
  readonly areSettingsKnown?: boolean;
  /** Tools that the settings exclude, as far as they are known. */
  readonly excluded?: Excluded | undefined;
  /** What was published last as the inputs had it, newest first. It counts as trusted. */
  readonly standing: readonly Toolset[];
  /** Whether credentials count only if the settings and overrides of now give them, published or not. */
  readonly onlyConfiguredCredentials?: boolean;
  /** The history, oldest first. */
  readonly revisions: readonly ReadRevision[];
}

/** Something that a revision would publish, and a person does not want published. */
export interface Unwanted extends Problem {
  readonly is: 'not approved' | 'switched off' | 'excluded';
  /** Distinguishes it from other problems of the same item. */
  readonly detail?: string;
}

/** The longest annotation about what a person accepted, in characters. */
const MAX_ACCEPTED = 16_384;

const EVERYTHING = '*';

const REFUSED = 'refused';

const markOf = ({ is, where, detail = '' }: Unwanted): string =>
  createHash('sha256').update(`${is} ${where} ${detail}`.trim()).digest('hex').slice(0, 12);

/** What a person accepts, as the text of an annotation; `undefined` for nothing. It names things by hashes, because many may be long. */
export function acceptedText(unwanted: readonly Unwanted[]): string | undefined {
  if (unwanted.length === 0) return undefined;
  const text = [...new Set(unwanted.map(markOf))].sort().join();
  return text.length > MAX_ACCEPTED ? EVERYTHING : text;
}

/** What a person did not accept. @param text as `acceptedText` formats it */
export function notAccepted(unwanted: readonly Unwanted[], text: string | undefined): readonly Unwanted[] {
  if (text === EVERYTHING) return unwanted.filter(({ detail }) => detail === REFUSED);
  const accepted = new Set(text?.split(','));
  return unwanted.filter((each) => !accepted.has(markOf(each)));
}

const NOTHING_PUBLISHED: Toolset = { documents: {}, tools: [] };

const UNKNOWN: Unwanted = {
  where: 'its documents',
  what: 'their tools cannot be read back, so it is unknown whether they are approved',
  is: 'not approved',
};

/** The overrides as they are now. `undefined` if they are invalid. */
function overridesNow({ overrides }: RevisionRules): Overrides | undefined {
  const read = readOverrides(overrides);
  return 'value' in read ? read.value : undefined;
}

/** The newest valid overrides of the history: they count while those of now cannot be read. `undefined` without a history. */
export function lastValid(
  revisions: readonly Pick<ReadRevision, 'overrides'>[],
): { readonly text: string | undefined; readonly overrides: Overrides } | undefined {
  for (const { overrides: text } of revisions.toReversed()) {
    const read = readOverrides(text);
    if ('value' in read) return { text, overrides: read.value };
  }
  return undefined;
}

/** While overrides are invalid, only what was published last counts as approved. */
function approvalRules(
  rules: RevisionRules,
  now: Overrides | undefined,
  { services }: Behind,
): ApprovalRules {
  const { generation: policy, areNamespacesKnown, areSettingsKnown = false } = rules;
  const standing = areSettingsKnown ? [] : services.filter((each) => approvalKind(each) !== undefined);
  if (now !== undefined) return { overrides: now, policy, standing, areNamespacesKnown };
  const strict: AdmissionPolicy = { mcpPolicy: policy.mcpPolicy === 'off' ? 'off' : 'approve' };
  return { overrides: NO_OVERRIDES, policy: strict, standing, areNamespacesKnown: false };
}

/** What is behind all revisions of a history, because each of them may be examined. */
const pasts = new WeakMap<readonly ReadRevision[], Behind['services']>();

/** The Services behind all revisions, the newest last. */
function pastServices({ revisions, generation: { kinds } }: RevisionRules): Behind['services'] {
  const known = pasts.get(revisions);
  const past =
    known ??
    revisions.flatMap(
      ({ toolset, overrides }) => behind({ tools: toolset.tools, overrides }, kinds).services,
    );
  pasts.set(revisions, past);
  return past;
}

/** What a revision is compared with, with the overrides that the newest toolset was made with. */
function standingOf({ standing, revisions }: RevisionRules, overrides: Overrides): Standing {
  const [newest] = standing;
  const hash = newest === undefined ? undefined : contentHash(newest.documents);
  const made = revisions.findLast(({ documents }) => contentHash(documents) === hash);
  const read = made === undefined ? undefined : readOverrides(made.overrides);
  const applied = read !== undefined && 'value' in read ? read.value : overrides;
  return { toolsets: standing, overrides, applied };
}

/**
 * What the settings and overrides of now produce for the Services of published tools, at their own addresses: another URL does
 * not change which credentials people mean for a Service.
 */
function generatedNow(
  { tools }: Pick<Toolset, 'tools'>,
  { generation }: RevisionRules,
  overrides: Overrides,
  outputs: Outputs<OutputSettings>,
): Toolset {
  const changes = Object.entries(overrides.tools).map(([key, change]) => {
    const { endpoint: _, ...rest } = change;
    return [key, addressedService(key) === undefined ? change : rest] as const;
  });
  const here = { ...overrides, tools: Object.fromEntries(changes) };
  const { services } = behind({ tools, overrides: undefined }, generation.kinds);
  return generate(services, { ...generation, overrides: here }, outputs);
}

/** The tools of a revision that the settings exclude now. */
const excludedIn = (
  { toolset }: Pick<ReadRevision, 'toolset'>,
  { excluded }: RevisionRules,
): readonly Unwanted[] =>
  toolset.tools.flatMap((tool) => {
    const why = tool.metadata.service === undefined ? undefined : excluded?.(tool);
    return why === undefined
      ? []
      : [{ where: tool.name, what: `the settings exclude it: ${why}`, is: 'excluded', detail: why }];
  });

const as = (is: Unwanted['is'], problems: readonly Problem[]): readonly Unwanted[] =>
  problems.map((problem) => ({ ...problem, is }));

/**
 * What a revision would give agents although people did not approve it or switched it off: Services that need an approval
 * and have none now, tools before which an agent would no longer ask, credentials for places to which none go now, what
 * overrides switch off, and what the settings exclude. Pure.
 */
export function unwantedIn(
  to: Pick<ReadRevision, 'toolset' | 'overrides'>,
  rules: RevisionRules,
  outputs: Outputs<OutputSettings>,
): readonly Unwanted[] {
  if (!outputs.readsBack) return [UNKNOWN];
  const now = overridesNow(rules);
  const { kinds } = rules.generation;
  const overrides = now ?? lastValid(rules.revisions)?.overrides ?? NO_OVERRIDES;
  const found = behind({ tools: to.toolset.tools, overrides: to.overrides }, kinds);
  const published = rules.standing[0] ?? NOTHING_PUBLISHED;
  const standing = behind({ tools: published.tools, overrides: rules.overrides }, kinds);
  const stale = now === undefined ? ' (its last valid version does; the current one is invalid)' : '';
  const known = { standing: standing.services, past: () => pastServices(rules) };
  const off = forbidden(found, known, overrides).map((problem) => ({
    ...problem,
    what: `${problem.what}${stale}`,
  }));
  const named = new Set(off.map(({ where }) => where.replace(/^\S+ /, '')));
  const asking = found.services.filter((service) => approvalKind(service) !== undefined);
  return [
    // Accepting a server that is not approved does not cover a later refusal.
    ...unapproved(asking, approvalRules(rules, now, standing)).map(({ isRefused, ...problem }) => ({
      ...problem,
      is: 'not approved' as const,
      ...(isRefused && { detail: REFUSED }),
    })),
    ...as('switched off', off),
    ...outputs
      .switchedOn(to.toolset, overrides)
      .filter((name) => !named.has(name))
      .map((name) => ({
        where: name,
        what: `overrides.yaml switches it off${stale}`,
        is: 'switched off' as const,
      })),
    // One entry may have several problems, and accepting one does not cover the others.
    ...[
      ...outputs.loosened(standingOf(rules, overrides), to.toolset),
      ...outputs.unpaired(to.toolset, rules.onlyConfiguredCredentials ? NOTHING_PUBLISHED : published, () =>
        generatedNow(to.toolset, rules, overrides, outputs),
      ),
    ].map((problem) => ({ ...problem, is: 'not approved' as const, detail: problem.what })),
    ...excludedIn(to, rules),
  ];
}
