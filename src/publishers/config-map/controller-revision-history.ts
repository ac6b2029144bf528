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
  SERVICES_IN_USE,
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
import { packRevision } from './revision-data.ts';
import { StoredRevisions } from './stored-revisions.ts';

/** Maximum number of attempts when writes conflict. */
const MAX_ATTEMPTS = 4;

/** The annotations of a revision: when it was published, and what else is known of its publication. */
const annotationsOf = (
  step: Written,
  { rollback, servicesInUse }: Content,
): Readonly<Record<string, string>> => ({
  [LAST_PUBLISHED]: step.published,
  ...(step.do === 'create' ? {} : { [PUBLISHED_BEFORE]: String(step.publishedBefore) }),
  ...(servicesInUse === undefined ? {} : { [SERVICES_IN_USE]: servicesInUse }),
  ...rollbackAnnotations(rollback),
});

/** Revisions with the ends of their publications, whether or not these could be recorded. */
const withEnds = (
  revisions: readonly Revision[],
  ends: ReturnType<typeof endsToRecord>,
): readonly Revision[] => {
  const known = new Map(ends.map(({ name, publishedUntil }) => [name, publishedUntil]));
  return revisions.map((each) => {
    const publishedUntil = known.get(each.name);
    return publishedUntil === undefined || publishedUntil === each.publishedUntil
      ? each
      : { ...each, publishedUntil };
  });
};

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
  const stored = new StoredRevisions({
    objects: (name, signal) =>
      listControllerRevisions(kube, { namespace, labels, ...(name === undefined ? {} : { name }) }, signal),
    metadata: (signal) => listControllerRevisions(kube, { namespace, labels, metadataOnly: true }, signal),
  });
  const explained = (error: unknown, doing: string): Error =>
    clusterError(error, `${doing} ControllerRevisions in namespace ${namespace}`, kube.server);

  /** @returns whether the state after it is known */
  const create = async (
    name: string,
    step: Written,
    content: Content,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const created = await createControllerRevision(
      kube,
      {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name,
          namespace,
          labels,
          annotations: annotationsOf(step, content),
        },
        revision: step.number,
        data: await packRevision(content),
      },
      signal,
    );
    return stored.created(created, step.number, content);
  };

  /** Deletes a revision, which may be gone already. */
  const remove = async ({ name }: Pick<Revision, 'name'>, signal: AbortSignal): Promise<void> => {
    try {
      await deleteControllerRevision(kube, { namespace, name }, signal);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
    }
    stored.removed(name);
  };

  /** @returns whether the state after it is known */
  const renumber = async (step: Written, content: Content, signal: AbortSignal): Promise<boolean> => {
    const gone = [PUBLISHED_UNTIL, SERVICES_IN_USE, ...ROLLBACK_ANNOTATIONS].map((key) => [key, null]);
    const annotations = { ...Object.fromEntries(gone), ...annotationsOf(step, content) };
    try {
      const named = { namespace, name: step.name };
      const changed = await renumberControllerRevision(kube, named, step.number, annotations, signal);
      return stored.changed(changed, step.number);
    } catch (error) {
      // Release 0.1.0 sent `data` with characters that the API server stores differently, so any change of the object fails
      // validation. A successor replaces it. It is created first: a process that is killed in between leaves both, and of
      // two revisions with equal content the newest counts.
      if (!isStatus(error, 422)) throw error;
      const isKnown = await create(`${step.name}-${step.number}`, step, content, signal);
      await remove(step, signal);
      return isKnown;
    }
  };

  /** Names of revisions that the API server does not let us annotate. */
  const fixed = new Set<string>();

  /** Records the ends of publications where that is possible, because what is published matters more. */
  const recordEnds = async (ends: ReturnType<typeof endsToRecord>, signal: AbortSignal): Promise<void> => {
    const annotate = async ({ name, publishedUntil }: (typeof ends)[number]): Promise<void> => {
      if (fixed.has(name)) return;
      try {
        const annotations = { [PUBLISHED_UNTIL]: publishedUntil };
        stored.changed(await annotateControllerRevision(kube, { namespace, name }, annotations, signal));
      } catch (error) {
        signal.throwIfAborted();
        if (isStatus(error, 403, 422)) fixed.add(name);
      }
    };
    await Promise.all(ends.map(annotate));
  };

  /** One attempt. @throws ApiStatusError with 404 or 409 if another client wrote at the same time */
  const attempt = async (
    content: Content,
    now: Date,
    conflicts: number,
    signal: AbortSignal,
  ): Promise<readonly Revision[]> => {
    const known = inOrder(await stored.read(signal));
    const step = recordStep(content, known, `${target.name.slice(0, 200)}-revision`, now);
    if (step.do === 'nothing') return known;
    // An object of others may have the name.
    const name = conflicts === 0 ? step.name : `${step.name}-${step.number}`;
    const ends = endsToRecord(known, step);
    await recordEnds(ends, signal);
    const isKnown =
      step.do === 'create'
        ? await create(name, step, content, signal)
        : await renumber(step, content, signal);
    if (!isKnown) await stored.read(signal);
    const there = withEnds(stored.all, ends);
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
        return inOrder(await stored.read(signal));
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
