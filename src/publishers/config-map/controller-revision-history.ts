import * as z from 'zod';
import type { KubeClient } from '../../kubernetes/connection.ts';
import {
  annotateControllerRevision,
  createControllerRevision,
  deleteControllerRevision,
  listControllerRevisions,
  renumberControllerRevision,
} from '../../kubernetes/controller-revisions.ts';
import { retryOnConflict } from '../../kubernetes/retry-on-conflict.ts';
import { clusterError, isStatus } from '../../kubernetes/status.ts';
import type { Content, Revision } from '../../model/revision.ts';
import {
  LAST_PUBLISHED,
  PUBLISHED_BEFORE,
  PUBLISHED_UNTIL,
  ROLLBACK_ANNOTATIONS,
  rollbackAnnotations,
  rollbackOf,
} from '../../planning/plan.ts';
import {
  endsToRecord,
  inOrder,
  type RecordStep,
  recordStep,
  revisionsToPrune,
} from '../../planning/revisions.ts';
import type { History } from '../publisher.ts';
import { type ConfigMapName, nameLabel } from './config-map.ts';
import { packRevision, unpackRevision } from './revision-data.ts';

/** Maximum number of attempts when writes conflict. */
const MAX_ATTEMPTS = 4;

const schema = z.object({
  metadata: z.object({
    name: z.string(),
    creationTimestamp: z.string().default(''),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  revision: z.number().int(),
  data: z.record(z.string(), z.string()),
});

/** The revision in an object; `undefined` for an object of others with our labels. */
async function revisionOf(object: unknown): Promise<Revision | undefined> {
  const { success, data } = schema.safeParse(object);
  if (!success) return undefined;
  const content = await unpackRevision(data.data);
  if (content === undefined) return undefined;
  const { name, creationTimestamp, annotations } = data.metadata;
  return {
    name,
    number: data.revision,
    created: creationTimestamp,
    published: annotations[LAST_PUBLISHED],
    publishedBefore: milliseconds(annotations[PUBLISHED_BEFORE]),
    publishedUntil: annotations[PUBLISHED_UNTIL],
    ...content,
    rollback: rollbackOf(annotations),
  };
}

/** Reads a number of milliseconds; `undefined` if it is something else. */
const milliseconds = (text = ''): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

/** The annotations that say when a revision was published. */
const timesOf = (step: Written): Readonly<Record<string, string>> => ({
  [LAST_PUBLISHED]: step.published,
  ...(step.do === 'create' ? {} : { [PUBLISHED_BEFORE]: String(step.publishedBefore) }),
});

/** The labels of a ConfigMap's revisions. */
function labelsOf({ name }: ConfigMapName): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'dynamic-toolset',
    'app.kubernetes.io/component': 'toolset-revision',
    'app.kubernetes.io/managed-by': 'dynamic-toolset',
    'kubernaut.io/configmap': nameLabel(name),
  };
}

/**
 * Stores what is published as `apps/v1.ControllerRevision` objects beside the ConfigMap. They have no owner, so they outlive
 * the ConfigMap and the Deployment.
 * @param limit maximum number of revisions
 * @param isValid whether a text is valid as `overrides.yaml`
 */
export function controllerRevisionHistory(
  kube: KubeClient,
  target: ConfigMapName,
  limit: number,
  isValid: (overrides: string | undefined) => boolean,
): History {
  const { namespace } = target;
  const labels = labelsOf(target);
  const read = async (signal: AbortSignal): Promise<readonly Revision[]> => {
    const objects = await listControllerRevisions(kube, namespace, labels, signal);
    const revisions = await Promise.all(objects.map(revisionOf));
    return revisions.filter((revision) => revision !== undefined);
  };
  const explained = (error: unknown, doing: string): Error =>
    clusterError(error, `${doing} ControllerRevisions in namespace ${namespace}`, kube.server);

  const create = async (
    name: string,
    step: Written,
    content: Content,
    signal: AbortSignal,
  ): Promise<unknown> =>
    createControllerRevision(
      kube,
      {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name,
          namespace,
          labels,
          annotations: { ...timesOf(step), ...rollbackAnnotations(content.rollback) },
        },
        revision: step.number,
        data: await packRevision(content),
      },
      signal,
    );

  /** Deletes a revision, which may be gone already. */
  const remove = async ({ name }: Pick<Revision, 'name'>, signal: AbortSignal): Promise<void> => {
    try {
      await deleteControllerRevision(kube, { namespace, name }, signal);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
  };

  const renumber = async (step: Written, content: Content, signal: AbortSignal): Promise<unknown> => {
    const gone = Object.fromEntries([PUBLISHED_UNTIL, ...ROLLBACK_ANNOTATIONS].map((key) => [key, null]));
    const annotations = {
      ...gone,
      ...timesOf(step),
      ...rollbackAnnotations(content.rollback),
    };
    try {
      return await renumberControllerRevision(
        kube,
        { namespace, name: step.name },
        step.number,
        annotations,
        signal,
      );
    } catch (error) {
      // Release 0.1.0 sent `data` with characters that the API server stores differently, so any change of the object fails
      // validation. A successor replaces it. It is created first: a process that is killed in between leaves both, and of
      // two revisions with equal content the newest counts.
      if (!isStatus(error, 422)) throw error;
      const successor = await create(`${step.name}-${step.number}`, step, content, signal);
      await remove(step, signal);
      return successor;
    }
  };

  /** Names of revisions that the API server does not let us annotate. */
  const fixed = new Set<string>();

  /** Records the ends of publications where that is possible, because what is published matters more. @returns all revisions */
  const withEnds = async (
    all: readonly Revision[],
    ends: ReturnType<typeof endsToRecord>,
    signal: AbortSignal,
  ): Promise<readonly Revision[]> => {
    const known = new Map<string, string>();
    const annotate = async ({ name, publishedUntil }: (typeof ends)[number]): Promise<void> => {
      known.set(name, publishedUntil);
      if (fixed.has(name)) return;
      try {
        const annotations = { [PUBLISHED_UNTIL]: publishedUntil };
        await annotateControllerRevision(kube, { namespace, name }, annotations, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (isStatus(error, 403, 422)) fixed.add(name);
      }
    };
    await Promise.all(ends.map(annotate));
    return all.map((each) => {
      const publishedUntil = known.get(each.name);
      return publishedUntil === undefined ? each : { ...each, publishedUntil };
    });
  };

  /** One attempt. @throws ApiStatusError with 404 or 409 if another client wrote at the same time */
  const attempt = async (
    content: Content,
    now: Date,
    conflicts: number,
    signal: AbortSignal,
  ): Promise<readonly Revision[]> => {
    const all = await read(signal);
    const known = inOrder(all);
    const step = recordStep(content, known, `${target.name.slice(0, 200)}-revision`, now);
    if (step.do === 'nothing') return known;
    // An object of others may have the name.
    const name = conflicts === 0 ? step.name : `${step.name}-${step.number}`;
    const ended = await withEnds(all, endsToRecord(known, step), signal);
    const object =
      step.do === 'create'
        ? await create(name, step, content, signal)
        : await renumber(step, content, signal);
    const written = await revisionOf(object);
    // Revisions are large, so they are not read again if the response has everything.
    const there =
      written === undefined
        ? await read(signal)
        : [...ended.filter((each) => each.name !== step.name), written];
    const ordered = inOrder(there);
    const old = revisionsToPrune(ordered, limit, content, isValid);
    const kept = ordered.filter((revision) => !old.includes(revision));
    // Includes revisions that a successor replaced.
    const superfluous = there.filter((revision) => !kept.includes(revision));
    await Promise.all(superfluous.map((revision) => remove(revision, signal)));
    return kept;
  };

  return {
    async list(signal) {
      try {
        return inOrder(await read(signal));
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'list');
      }
    },
    async record(content, now, signal) {
      try {
        return await retryOnConflict((conflicts) => attempt(content, now, conflicts, signal), signal, {
          isConflict: (error) => isStatus(error, 404, 409),
          attempts: MAX_ATTEMPTS,
          // Retries at once, so that a later publication is not recorded before this one.
          first: 0,
        });
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'keep');
      }
    },
  };
}

type Written = Exclude<RecordStep, { do: 'nothing' }>;
