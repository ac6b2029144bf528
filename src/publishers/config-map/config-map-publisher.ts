import {
  applyConfigMap,
  type ConfigMap,
  configMapsPath,
  readConfigMap,
  releaseFields,
  removeAnnotations,
} from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { runInformer } from '../../kubernetes/informer.ts';
import { ApiStatusError, clusterError, isStatus } from '../../kubernetes/status.ts';
import { ClusterError } from '../../model/errors.ts';
import type { Plan, Published } from '../../model/published.ts';
import { FIELD_MANAGER, OWN_ANNOTATIONS, RESTORING_MANAGER } from '../../planning/plan.ts';
import { type History, OwnerRefused, PublishConflict, type Publisher } from '../publisher.ts';
import {
  type ConfigMapName,
  type ObjectState,
  ownedConfigMap,
  restoredConfigMap,
  withState,
} from './config-map.ts';

/** Whether the ConfigMap is not in the state that a plan was made for. */
function isConflict(error: unknown, action: Plan['action']): boolean {
  if (!(error instanceof ApiStatusError)) return false;
  if (error.code === 409) return true;
  // It was deleted since, if need be a moment after we made it; a namespace that is not there is something else.
  return error.code === 404 && (action === 'update' || error.message.startsWith('configmaps "'));
}

/**
 * Where OwnerReferencesPermissionEnforcement is on, who gives an object that is there an owner must be allowed to delete
 * it.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
function isOwnerRefused(error: unknown): boolean {
  return isStatus(error, 403) && /ownerRef/i.test(error.message);
}

/** The state of an object, where both parts of it are known. */
function stateOf(resourceVersion: string | undefined, uid: string | undefined): ObjectState | undefined {
  return resourceVersion === undefined || uid === undefined ? undefined : { resourceVersion, uid };
}

/** The uids of the owner references that we set. @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
function ownOwners({ managedFields = [] }: NonNullable<ConfigMap['metadata']>): readonly string[] {
  return managedFields
    .filter(({ manager }) => manager === FIELD_MANAGER)
    .flatMap(({ fieldsV1 }) => {
      const metadata = fieldsV1?.['f:metadata'] as Readonly<Record<string, object>> | undefined;
      return Object.keys(metadata?.['f:ownerReferences'] ?? {});
    })
    .filter((key) => key.startsWith('k:'))
    .map((key) => (JSON.parse(key.slice(2)) as { readonly uid: string }).uid);
}

function publishedOf({ metadata = {}, data = {}, immutable = false }: ConfigMap): Published {
  const {
    labels = {},
    annotations = {},
    resourceVersion,
    managedFields = [],
    ownerReferences = [],
  } = metadata;
  const own = ownOwners(metadata);
  const ownOwner = ownerReferences.find(({ uid }) => own.includes(uid));
  return {
    data,
    labels,
    annotations,
    ...(resourceVersion === undefined ? {} : { version: resourceVersion }),
    immutable,
    managers: managedFields.flatMap(({ manager }) => manager ?? []),
    owners: ownerReferences,
    ...(ownOwner === undefined ? {} : { ownOwner }),
  };
}

/**
 * Publishes into a ConfigMap by server-side apply, under our own field manager.
 *
 * A ConfigMap that is there is changed in the state that was planned for, and no other; one that is not is made without
 * taking anything from somebody who is quicker. Overrides come back in the same request that makes it, so there is never
 * one without them; then they are given up, so that whoever applies them next meets no owner.
 *
 * `uid` is the object's identity as it was seen last.
 */
export function configMapPublisher(
  kube: KubeClient,
  target: ConfigMapName,
  history?: History,
): Publisher & { readonly uid: () => string | undefined } {
  const name = `ConfigMap ${target.namespace}/${target.name}`;
  const explained = (error: unknown, doing: string): Error => {
    if (isStatus(error, 404))
      return new ClusterError(
        `cannot ${doing} ${name}: the namespace ${target.namespace} does not exist; create it, or choose another`,
        { cause: error },
      );
    return clusterError(error, `${doing} ${name}`, kube.server);
  };
  /** The state that was read or written last: hearing of it is no news. */
  let lastVersion: string | undefined;
  let uid: string | undefined;
  const remember = (live: ConfigMap | undefined): void => {
    lastVersion = live?.metadata?.resourceVersion;
    uid = live?.metadata?.uid ?? uid;
  };
  const applyPlan = async (plan: Plan, now: Date, signal: AbortSignal): Promise<Published> => {
    const object = ownedConfigMap(target, plan, now);
    let basis = stateOf(plan.basis, uid);
    if (plan.restore !== undefined) {
      const whole = restoredConfigMap(object, plan.restore);
      const restored = await applyConfigMap(
        kube,
        whole,
        { fieldManager: RESTORING_MANAGER, force: false },
        signal,
      );
      basis = stateOf(restored.metadata?.resourceVersion, restored.metadata?.uid);
    }
    const applyOptions = { fieldManager: FIELD_MANAGER, force: basis !== undefined };
    let live = await applyConfigMap(kube, withState(object, basis), applyOptions, signal);
    live = await releaseFields(kube, object, live, RESTORING_MANAGER, signal);
    const stale = OWN_ANNOTATIONS.filter(
      (key) => live.metadata?.annotations?.[key] !== undefined && plan.annotations[key] === undefined,
    );
    if (stale.length > 0) live = await removeAnnotations(kube, object, stale, signal);
    remember(live);
    return publishedOf(live);
  };
  return {
    target: name,
    uid: () => uid,
    ...(history === undefined ? {} : { history }),
    async read(signal) {
      try {
        const object = await readConfigMap(kube, target.namespace, target.name, signal);
        remember(object);
        return object === undefined ? undefined : publishedOf(object);
      } catch (error) {
        signal.throwIfAborted();
        throw explained(error, 'read');
      }
    },
    async apply(plan, now, signal) {
      if (plan.action === 'none') return undefined;
      try {
        return await applyPlan(plan, now, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (plan.owner !== undefined && isOwnerRefused(error))
          throw new OwnerRefused(
            `${name} gets no owner reference: ${(error as Error).message}; grant "delete" on it, or leave POD_NAME away`,
            { cause: error },
          );
        if (!isConflict(error, plan.action)) throw explained(error, 'write');
        throw new PublishConflict(
          `somebody else wrote ${name} at the same time: ${(error as Error).message}; it is tried again`,
          { cause: error },
        );
      }
    },
    async watch(changed, failed, signal) {
      let failing = false;
      await runInformer(
        kube,
        {
          path: configMapsPath(target.namespace),
          fieldSelector: `metadata.name=${target.name}`,
          select: ({ metadata }) => (metadata as { resourceVersion?: string } | undefined)?.resourceVersion,
        },
        (event) => {
          if (event.kind === 'failure') {
            if (!failing) failed(explained(event.error, event.doing));
            failing = true;
            return;
          }
          failing = false;
          if (event.kind === 'recovered') return;
          const [version] = event.kind === 'synced' ? event.items.values() : [event.item];
          if (event.kind === 'delete' || version !== lastVersion) changed();
        },
        signal,
      );
    },
  };
}
