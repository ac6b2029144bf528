import { byShard, namesOf, shardOf, type Toolset } from '../model/documents.ts';
import type { OwnerReference, Plan, Published } from '../model/published.ts';
import type { Rollback } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';

const PREFIX = 'kubernaut.io/';

/** When the documents last changed, RFC 3339 in UTC. */
export const LAST_UPDATED = `${PREFIX}last-updated`;

/** Hash of the documents that we published. If it does not match, they were changed externally. */
export const CONTENT_HASH = `${PREFIX}content-hash`;

/** Number of tools. */
const SERVICES = `${PREFIX}discovered-services`;

/** Faults of the overrides, while they are invalid. */
export const OVERRIDE_ERROR = `${PREFIX}override-error`;

/** While a rollback holds: its target revision, and the hash of the documents from before it. */
const ROLLED_BACK_TO = `${PREFIX}rolled-back-to`;
const ROLLED_BACK_FROM = `${PREFIX}rolled-back-from`;
/** While a rollback holds: what a person accepted although it is not approved, switched off or excluded. */
const ROLLBACK_ACCEPTS = `${PREFIX}rollback-accepts`;

/** While tools are held: since when each of them is, in a compact form. */
export const REMOVAL_HELD = `${PREFIX}removal-held`;

/**
 * While tools are held, and during a rollback that began meanwhile: the hash of the documents that the inputs produce. The
 * published ones also have the held tools.
 */
export const INPUTS_HASH = `${PREFIX}inputs-hash`;

/** `true` releases held tools. It applies once, and the next publication removes it. */
export const ALLOW_REMOVAL = `${PREFIX}allow-removal`;

/** Number of ConfigMaps, if the documents are divided. */
export const SHARDS = `${PREFIX}shards`;

/** Label of further ConfigMaps: the number of their part, from 2. */
export const SHARD_LABEL = `${PREFIX}shard`;

/**
 * Annotation of a ConfigMap that has no part any more, but keys of others: its own name. It may get that part again. The name
 * keeps the annotation of a copy from counting.
 */
export const FORMER_SHARD = `${PREFIX}former-shard`;

/**
 * Which Services the ids of published backends come from, where the published tools alone do not say that. JSON:
 * `{NAMESPACE: {GROUP: [SERVICE, …]}}`, in which an empty name is that of the group.
 */
export const BACKEND_GROUPS = `${PREFIX}backend-groups`;

/**
 * The tools that are published, for targets whose documents cannot be read back. JSON:
 * `{NAMESPACE: {SERVICE: [NAME, TYPE, ENDPOINT]}}`.
 */
export const PUBLISHED_TOOLS = `${PREFIX}published-tools`;

/**
 * The Services in use that published tools do not show, because they are unhealthy, with the Services that may take their
 * place. JSON: `{NAMESPACE: {SERVICE: [NAME, OTHER, …]}}`, where the first of the others may be `=OWNER`; an empty name is the default.
 */
export const SERVICES_IN_USE = `${PREFIX}services-in-use`;

/** When a revision was last published, RFC 3339 in UTC. */
export const LAST_PUBLISHED = `${PREFIX}last-published`;
/** Annotation of a revision: for how long it was published before it was last published, in milliseconds. */
export const PUBLISHED_BEFORE = `${PREFIX}published-before-ms`;
/** Annotation of a revision: when its last publication ended, RFC 3339 in UTC. */
export const PUBLISHED_UNTIL = `${PREFIX}published-until`;

/** The annotations of a rollback, on the ConfigMap and on a revision. */
export const ROLLBACK_ANNOTATIONS: readonly string[] = [
  ROLLED_BACK_TO,
  ROLLED_BACK_FROM,
  ROLLBACK_ACCEPTS,
  INPUTS_HASH,
];

/** The namespaces that are searched in the cluster, separated by commas; `*`: all. Commands that compare use them. */
export const SEARCHED_NAMESPACES = `${PREFIX}searched-namespaces`;

/** Our optional annotations. */
export const OWN_ANNOTATIONS: readonly string[] = [
  OVERRIDE_ERROR,
  REMOVAL_HELD,
  ALLOW_REMOVAL,
  SHARDS,
  BACKEND_GROUPS,
  PUBLISHED_TOOLS,
  SERVICES_IN_USE,
  SEARCHED_NAMESPACES,
  ...ROLLBACK_ANNOTATIONS,
];

/**
 * Our annotations that the live object has and the desired state does not, and that are therefore removed. A person's
 * annotation with a value that has no effect stays, because it is reported until somebody corrects it.
 */
export const staleAnnotations = (
  live: Readonly<Record<string, string>> = {},
  wanted: Readonly<Record<string, string>>,
): string[] =>
  OWN_ANNOTATIONS.filter(
    (key) =>
      live[key] !== undefined &&
      !Object.hasOwn(wanted, key) &&
      (key !== ALLOW_REMOVAL || live[key] === 'true'),
  );

export const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** Our field manager. */
export const FIELD_MANAGER = 'dynamic-toolset';

/** The field manager that restores overrides. It gives up ownership at once, so that the field belongs to users. */
export const RESTORING_MANAGER = 'dynamic-toolset-restore';

/** The desired state. */
export interface Intent extends Toolset {
  /** The faults of the overrides, if they are invalid. */
  readonly overrideError?: string | undefined;
  /** The annotation about held tools, if there are any. */
  readonly removalHeld?: string | undefined;
  /** The hash of the documents that the inputs produce, while tools are held. */
  readonly inputs?: string | undefined;
  /** The Services that ids of backends come from, or an empty text; absent: as it is published. */
  readonly backendGroups?: string | undefined;
  /** The tools where documents cannot be read back, or an empty text; absent: as it is published. */
  readonly publishedTools?: string | undefined;
  /** The Services in use that no tool shows, or an empty text; absent: as it is published. */
  readonly servicesInUse?: string | undefined;
  /** The namespaces that are searched, or an empty text if that is not to be known; absent: as it is published. */
  readonly searched?: string | undefined;
  /** The rollback that holds, if there is one. */
  readonly rollback?: Rollback | undefined;
  /** `overrides.yaml` to restore if the ConfigMap is recreated. An existing ConfigMap keeps its own. */
  readonly overrides?: string | undefined;
  readonly owner?: OwnerReference | undefined;
}

/** Reads a rollback from annotations. */
export function rollbackOf(annotations: Readonly<Record<string, string>>): Rollback | undefined {
  const { [ROLLED_BACK_FROM]: from, [INPUTS_HASH]: inputs, [ROLLBACK_ACCEPTS]: accepted } = annotations;
  if (from === undefined) return undefined;
  return { to: Number(annotations[ROLLED_BACK_TO]) || 0, from, inputs, accepted };
}

/** Writes a rollback to annotations. */
export function rollbackAnnotations(rollback: Rollback | undefined): Record<string, string> {
  if (rollback === undefined) return {};
  const { to, from, inputs, accepted } = rollback;
  return {
    [ROLLED_BACK_TO]: String(to),
    [ROLLED_BACK_FROM]: from,
    ...(accepted === undefined ? {} : { [ROLLBACK_ACCEPTS]: accepted }),
    ...(inputs === undefined ? {} : { [INPUTS_HASH]: inputs }),
  };
}

/**
 * Whether we published the object: it has fields of our field manager, or our label, if field managers were lost with a
 * backup or a manifest.
 */
export function isOurs(live: Pick<Published, 'labels' | 'managers'>): boolean {
  return (
    live.labels[MANAGED_BY] === FIELD_MANAGER ||
    live.managers?.some((name) => name === FIELD_MANAGER || name === RESTORING_MANAGER) === true
  );
}

/**
 * Plans the changes from live to desired state. Pure. Ignores keys, labels and annotations that are not ours;
 * `overrides.yaml` never is.
 * @param live the live state, if the object exists
 */
export function plan(intent: Intent, live: Published | undefined, version: string): Plan {
  const { documents, tools, overrideError, removalHeld, inputs, rollback, overrides, owner } = intent;
  const shards = byShard(documents);
  const backendGroups = intent.backendGroups ?? live?.annotations[BACKEND_GROUPS] ?? '';
  const publishedTools = intent.publishedTools ?? live?.annotations[PUBLISHED_TOOLS] ?? '';
  const servicesInUse = intent.servicesInUse ?? live?.annotations[SERVICES_IN_USE] ?? '';
  const searched = intent.searched ?? live?.annotations[SEARCHED_NAMESPACES] ?? '';
  const labels = {
    'app.kubernetes.io/name': 'dynamic-toolset',
    'app.kubernetes.io/component': 'toolset-config',
    [MANAGED_BY]: FIELD_MANAGER,
    'app.kubernetes.io/version': version,
  };
  const annotations = {
    [SERVICES]: String(tools.length),
    ...(overrideError === undefined ? {} : { [OVERRIDE_ERROR]: overrideError }),
    ...(removalHeld === undefined ? {} : { [REMOVAL_HELD]: removalHeld }),
    ...(inputs === undefined ? {} : { [INPUTS_HASH]: inputs }),
    ...(backendGroups === '' ? {} : { [BACKEND_GROUPS]: backendGroups }),
    ...(publishedTools === '' ? {} : { [PUBLISHED_TOOLS]: publishedTools }),
    ...(servicesInUse === '' ? {} : { [SERVICES_IN_USE]: servicesInUse }),
    ...(searched === '' ? {} : { [SEARCHED_NAMESPACES]: searched }),
    ...rollbackAnnotations(rollback),
    ...(shards.size > 1 ? { [SHARDS]: String(shards.size) } : {}),
    [CONTENT_HASH]: contentHash(documents),
  };
  const differing = (
    what: string,
    wanted: Readonly<Record<string, string>>,
    now: Readonly<Record<string, string>> = {},
  ): string[] =>
    Object.entries(wanted)
      .filter(([key, value]) => now[key] !== value)
      .map(([key]) => `${what} ${key}`);
  const binary = namesOf(documents).filter((name) => live?.binary?.includes(name) === true);
  const data = new Set([
    ...differing(
      'data',
      Object.fromEntries(namesOf(documents).map((name) => [name, documents[name] ?? ''])),
      live?.data,
    ),
    ...binary.map((name) => `data ${name}`),
  ]);
  const changes = [
    ...data,
    ...namesOf(live?.data ?? {})
      .filter((name) => {
        const { document, shard } = shardOf(name);
        return !shards.has(shard) && Object.hasOwn(documents, document);
      })
      .map((name) => `data ${name}`),
    ...differing('label', labels, live?.labels),
    ...differing('annotation', annotations, live?.annotations),
    ...staleAnnotations(live?.annotations, annotations).map((key) => `annotation ${key}`),
    ...(owner === undefined || live?.owners?.some(({ uid }) => uid === owner.uid) === true
      ? []
      : [`owner ${owner.kind} ${owner.name}`]),
    // A process that was killed while it restored overrides left us as their owner.
    ...(live?.managers?.includes(RESTORING_MANAGER) === true ? ['owner of data overrides.yaml'] : []),
  ];
  return {
    action: live === undefined ? 'create' : changes.length > 0 ? 'update' : 'none',
    documents,
    labels,
    annotations,
    changes,
    ...(owner === undefined ? {} : { owner }),
    ...(live === undefined && overrides !== undefined ? { restore: overrides } : {}),
    ...(live?.version === undefined ? {} : { basis: live.version }),
  };
}
