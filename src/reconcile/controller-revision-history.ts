import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Kube } from '../kube/connection.ts';
import {
  createControllerRevision,
  deleteControllerRevision,
  listControllerRevisions,
  renumberControllerRevision,
} from '../kube/controller-revisions.ts';
import { ApiStatusError, clusterError } from '../kube/status.ts';
import { DOCUMENT_KEYS, OVERRIDES_KEY } from '../model/documents.ts';
import type { Revision } from '../model/revision.ts';
import type { ConfigMapName } from './config-map.ts';
import { OWN_ANNOTATIONS, rollbackAnnotations, rollbackOf } from './plan.ts';
import type { History } from './publisher.ts';
import { recordStep, surplus } from './revisions.ts';

/** Longest name that may be a label's value. */
const LABEL = 63;

const schema = z.object({
  metadata: z.object({
    name: z.string(),
    creationTimestamp: z.string().default(''),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  revision: z.number().int(),
  data: z.object({
    [DOCUMENT_KEYS[0]]: z.string(),
    [DOCUMENT_KEYS[1]]: z.string(),
    [OVERRIDES_KEY]: z.string().optional(),
  }),
});

/** The revision in an object; nothing for somebody else's under our labels, which is no history of ours. */
function revisionOf(object: unknown): Revision | undefined {
  const { success, data } = schema.safeParse(object);
  if (!success) return undefined;
  const { [OVERRIDES_KEY]: overrides, ...documents } = data.data;
  const { name, creationTimestamp, annotations } = data.metadata;
  return {
    name,
    number: data.revision,
    created: creationTimestamp,
    documents,
    overrides,
    rollback: rollbackOf(annotations),
  };
}

const inOrder = (revisions: readonly Revision[]): readonly Revision[] =>
  revisions.toSorted((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));

/**
 * Remembers what is published as `apps/v1.ControllerRevision` objects beside the ConfigMap. They belong to no other
 * object, so they outlive the ConfigMap and the Deployment.
 * @param limit how many are kept
 */
export function controllerRevisionHistory(kube: Kube, target: ConfigMapName, limit: number): History {
  const { namespace } = target;
  const digest = createHash('sha256').update(target.name).digest('hex').slice(0, 12);
  const labels = {
    'app.kubernetes.io/name': 'dynamic-toolset',
    'app.kubernetes.io/component': 'toolset-revision',
    'app.kubernetes.io/managed-by': 'dynamic-toolset',
    'kubernaut.io/configmap':
      target.name.length <= LABEL ? target.name : `${target.name.slice(0, 40)}-${digest}`.replace(/\.-/, '-'),
  };
  const list = async (signal: AbortSignal): Promise<readonly Revision[]> => {
    const objects = await listControllerRevisions(kube, namespace, labels, signal);
    return inOrder(objects.flatMap((object) => revisionOf(object) ?? []));
  };
  const explained = (error: unknown, doing: string): Error =>
    clusterError(error, `${doing} ControllerRevisions in namespace ${namespace}`, kube.server);
  /** What others did at the same time is no failure: it leads to the same end. */
  const unless = async <T>(code: number, done: Promise<T>): Promise<T | undefined> => {
    try {
      return await done;
    } catch (error) {
      if (!(error instanceof ApiStatusError && error.code === code)) throw error;
      return undefined;
    }
  };
  /** What there is after one was written. They are large, so they are not read again where the answer told all of it. */
  const after = async (
    known: readonly Revision[],
    written: Revision | undefined,
    signal: AbortSignal,
  ): Promise<readonly Revision[]> =>
    written === undefined
      ? list(signal)
      : inOrder([...known.filter(({ name }) => name !== written.name), written]);
  return {
    async list(signal) {
      try {
        return await list(signal);
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'list');
      }
    },
    async record(content, signal) {
      try {
        const known = await list(signal);
        const step = recordStep(content, known, `${target.name.slice(0, 200)}-revision`);
        const annotations = rollbackAnnotations(content.rollback);
        let written: unknown;
        if (step.do === 'create')
          written = await unless(
            409,
            createControllerRevision(
              kube,
              {
                apiVersion: 'apps/v1',
                kind: 'ControllerRevision',
                metadata: { name: step.name, namespace, labels, annotations },
                revision: step.number,
                data: {
                  ...content.documents,
                  ...(content.overrides === undefined ? {} : { [OVERRIDES_KEY]: content.overrides }),
                },
              },
              signal,
            ),
          );
        if (step.do === 'renumber') {
          const gone = Object.fromEntries(OWN_ANNOTATIONS.map((key) => [key, null]));
          written = await renumberControllerRevision(
            kube,
            { namespace, name: step.name },
            step.number,
            { ...gone, ...annotations },
            signal,
          );
        }
        const now = step.do === 'nothing' ? known : await after(known, revisionOf(written), signal);
        const old = surplus(now, limit);
        await Promise.all(
          old.map(({ name }) => unless(404, deleteControllerRevision(kube, { namespace, name }, signal))),
        );
        return now.slice(old.length);
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'keep');
      }
    },
  };
}
