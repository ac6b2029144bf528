import { byShard, namesOf, shardOf, type Toolset } from '../model/documents.ts';
import type { OwnerReference, Plan, Published } from '../model/published.ts';
import type { Rollback } from '../model/revision.ts';
import { contentHash } from './content-hash.ts';

const PREFIX = 'kubernaut.io/';

/** When the documents last changed, RFC 3339 in UTC. */
export const LAST_UPDATED = `${PREFIX}last-updated`;

/** Hash of the documents as we published them: with others than these, somebody else changed them. */
export const CONTENT_HASH = `${PREFIX}content-hash`;

/** How many tools there are. */
const SERVICES = `${PREFIX}discovered-services`;

/** What is wrong with the overrides, while something is. */
export const OVERRIDE_ERROR = `${PREFIX}override-error`;

/** While a rollback holds: the revision that it returned to, and the hash of the documents that the inputs give. */
const ROLLED_BACK_TO = `${PREFIX}rolled-back-to`;
const ROLLED_BACK_FROM = `${PREFIX}rolled-back-from`;

/** While tools are held that the inputs do not give any more: since when each of them is, in a short form. */
export const REMOVAL_HELD = `${PREFIX}removal-held`;

/** By `true` a person lets tools go that are held. It counts once: with the next publication it is taken away. */
export const ALLOW_REMOVAL = `${PREFIX}allow-removal`;

/** How many ConfigMaps the documents are divided among, if they are. */
export const SHARDS = `${PREFIX}shards`;

/** The label of the other ConfigMaps: which part of the documents they have, from 2. */
export const SHARD_LABEL = `${PREFIX}shard`;

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

/** When a revision was last published, RFC 3339 in UTC. */
export const LAST_PUBLISHED = `${PREFIX}last-published`;

/** The annotations that tell of a rollback, on the ConfigMap and on a revision. */
export const ROLLBACK_ANNOTATIONS: readonly string[] = [ROLLED_BACK_TO, ROLLED_BACK_FROM];

/** Annotations that are ours and not always there. */
export const OWN_ANNOTATIONS: readonly string[] = [
  OVERRIDE_ERROR,
  REMOVAL_HELD,
  ALLOW_REMOVAL,
  SHARDS,
  BACKEND_GROUPS,
  PUBLISHED_TOOLS,
  ...ROLLBACK_ANNOTATIONS,
];

const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** The field manager under which our fields are owned. */
export const FIELD_MANAGER = 'dynamic-toolset';

/** The one under which overrides are brought back; it gives them up at once, so that they are nobody's but a person's. */
export const RESTORING_MANAGER = 'dynamic-toolset-restore';

/** What shall be published. */
export interface Intent extends Toolset {
  /** What is wrong with the overrides, if something is. */
  readonly overrideError?: string | undefined;
  /** What is to be remembered of tools that are held, while some are. */
  readonly removalHeld?: string | undefined;
  /** The Services that ids of backends come from, or an empty text; absent: as it is published. */
  readonly backendGroups?: string | undefined;
  /** The tools where documents cannot be read back, or an empty text; absent: as it is published. */
  readonly publishedTools?: string | undefined;
  /** The rollback that holds, if one does. */
  readonly rollback?: Rollback | undefined;
  /** What `overrides.yaml` shall be in a ConfigMap that is made anew. It is never written to one that is there. */
  readonly overrides?: string | undefined;
  readonly owner?: OwnerReference | undefined;
}

/** The rollback that annotations tell of, if they do. */
export function rollbackOf(annotations: Readonly<Record<string, string>>): Rollback | undefined {
  const from = annotations[ROLLED_BACK_FROM];
  return from === undefined ? undefined : { to: Number(annotations[ROLLED_BACK_TO]) || 0, from };
}

/** The annotations that tell of a rollback. */
export function rollbackAnnotations(rollback: Rollback | undefined): Record<string, string> {
  return rollback === undefined
    ? {}
    : { [ROLLED_BACK_TO]: String(rollback.to), [ROLLED_BACK_FROM]: rollback.from };
}

/**
 * Whether what is published was published by us: our fields are there under our field manager, or, where that was lost
 * with a backup or a manifest, our label is.
 */
export function isOurs(live: Published): boolean {
  return (
    live.labels[MANAGED_BY] === FIELD_MANAGER ||
    live.managers?.some((name) => name === FIELD_MANAGER || name === RESTORING_MANAGER) === true
  );
}

/**
 * Decides what has to change so that what is published is what shall be. Pure. Keys, labels and annotations that are
 * not ours do not count, and `overrides.yaml` is never ours.
 * @param live what is published now, or nothing
 */
export function plan(intent: Intent, live: Published | undefined, version: string): Plan {
  const { documents, tools, overrideError, removalHeld, rollback, overrides, owner } = intent;
  const shards = byShard(documents);
  const backendGroups = intent.backendGroups ?? live?.annotations[BACKEND_GROUPS] ?? '';
  const publishedTools = intent.publishedTools ?? live?.annotations[PUBLISHED_TOOLS] ?? '';
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
    ...(backendGroups === '' ? {} : { [BACKEND_GROUPS]: backendGroups }),
    ...(publishedTools === '' ? {} : { [PUBLISHED_TOOLS]: publishedTools }),
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
  const changes = [
    ...differing(
      'data',
      Object.fromEntries(namesOf(documents).map((name) => [name, documents[name] ?? ''])),
      live?.data,
    ),
    ...namesOf(live?.data ?? {})
      .filter((name) => {
        const { document, shard } = shardOf(name);
        return shard > 1 && !shards.has(shard) && Object.hasOwn(documents, document);
      })
      .map((name) => `data ${name}`),
    ...differing('label', labels, live?.labels),
    ...differing('annotation', annotations, live?.annotations),
    ...OWN_ANNOTATIONS.filter(
      (key) => live?.annotations[key] !== undefined && !Object.hasOwn(annotations, key),
    ).map((key) => `annotation ${key}`),
    ...(owner === undefined || live?.owners?.some(({ uid }) => uid === owner.uid) === true
      ? []
      : [`owner ${owner.kind} ${owner.name}`]),
    // A process that was killed between bringing overrides back and giving them up left them to us.
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
