import { createHash } from 'node:crypto';
import { applyConfigMap, type ConfigMap, readConfigMap } from '../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../kubernetes/connection.ts';
import { retryOnConflict } from '../../kubernetes/retry-on-conflict.ts';
import { clusterError, isStatus } from '../../kubernetes/status.ts';
import type { Problem } from '../../model/discovery.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import type { ConfigMapName } from '../../publishers/config-map/config-map.ts';
import type { AgentConfigMap, AgentMerge } from './merge.ts';
import { toolsetMount } from './mount.ts';
import { type DeploymentName, holmesDeployment } from './reload.ts';

/** What came of bringing the file to where HolmesGPT reads it. */
export type Brought =
  | {
      /** Which state of the file is there now. */
      readonly token: string;
      /** It is a single file of a running Pod, which never changes. */
      readonly frozen: boolean;
      /** It is the ConfigMap that is published, so whatever is done to that is done to it. */
      readonly direct: boolean;
      readonly written?: { readonly target: string; readonly learned: boolean };
      /** What of a person's was read otherwise than they may think. */
      readonly notes?: readonly Problem[];
    }
  | { readonly refused: Problem };

/** Where HolmesGPT reads its file from. */
export interface AgentPlace {
  /**
   * @param file `custom_toolset.yaml`
   * @param tools what is published with it
   * @throws UserError if the cluster does not let us
   */
  bring(file: string, signal: AbortSignal, tools?: readonly PublishedTool[]): Promise<Brought>;
}

const tokenOf = (file: string): string => createHash('sha256').update(file).digest('hex').slice(0, 16);

/** HolmesGPT mounts the ConfigMap that is published: there is nothing to bring. */
export const publishedPlace: AgentPlace = {
  bring: async (file) => ({ token: tokenOf(file), frozen: false, direct: true }),
};

/** The field manager under which our fields are owned. */
const FIELD_MANAGER = 'dynamic-toolset';

/** Tries while others change the ConfigMap at the same time. */
const TRIES = 4;

export interface HolmesPlaceOptions {
  readonly deployment: DeploymentName;
  /** The ConfigMap that is published. */
  readonly published: ConfigMapName;
  /** What becomes of HolmesGPT's ConfigMap, as `mergeForAgent` says. */
  readonly merge: (
    offered: string,
    live: AgentConfigMap,
    tools?: readonly PublishedTool[],
  ) => Promise<AgentMerge>;
}

type Attempt =
  | { readonly refused: Problem }
  /** Without `learned` there was nothing to write. */
  | { readonly token: string; readonly learned?: boolean; readonly notes: readonly Problem[] };

/** Writes into the ConfigMap that HolmesGPT's Deployment mounts: our keys and annotations, nothing else of it. */
export function holmesPlace(
  kube: KubeClient,
  { deployment, published, merge: mergeWith }: HolmesPlaceOptions,
): AgentPlace {
  const { namespace } = deployment;
  const owner = `Deployment ${namespace}/${deployment.name}`;

  const read = async (name: string, signal: AbortSignal): Promise<ConfigMap | undefined> => {
    try {
      return await readConfigMap(kube, namespace, name, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw clusterError(error, `read ConfigMap ${namespace}/${name}`, kube.server);
    }
  };

  /** One attempt. @throws ApiStatusError 409 if somebody else wrote at the same time */
  const attempt = async (
    file: string,
    tools: readonly PublishedTool[] | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<Attempt> => {
    const where = `ConfigMap ${namespace}/${name}`;
    const refused = (what: string, fix: string) => ({ refused: { where, what, fix } });
    const live = await read(name, signal);
    if (live === undefined)
      return refused(
        `does not exist, and ${owner} mounts it`,
        'create it, as the chart of HolmesGPT does, or let HolmesGPT mount ours',
      );
    const { annotations = {}, resourceVersion, uid } = live.metadata ?? {};
    const merge = await mergeWith(file, { data: live.data ?? {}, annotations }, tools);
    if (merge.kind === 'refused') return refused(merge.what, merge.fix);
    const notes = merge.notes.map(({ section, name: entry, note }) => ({
      where: `${where}, ${section} ${entry}`,
      ...note,
    }));
    if (merge.kind === 'none') return { token: merge.token, notes };
    if (live.immutable === true)
      return refused('is immutable, so nothing in it can be changed', 'create it anew without immutable');
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      // With the uid, one that was deleted since is not made anew: what is of others in it would be lost.
      metadata: { namespace, name, annotations: merge.annotations, resourceVersion, uid },
      data: merge.data,
    };
    try {
      await applyConfigMap(kube, object, { fieldManager: FIELD_MANAGER, force: true }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isStatus(error, 409)) throw error;
      throw clusterError(error, `write ${where}`, kube.server);
    }
    return { token: merge.token, learned: merge.learned, notes };
  };

  return {
    async bring(file, signal, tools) {
      const found = await holmesDeployment(kube, deployment, signal);
      const mount = toolsetMount(found.spec?.template?.spec ?? {});
      if ('what' in mount) return { refused: { where: owner, ...mount } };
      const { configMap: name, frozen } = mount;
      if (namespace === published.namespace && name === published.name)
        return { token: tokenOf(file), frozen, direct: true };
      const target = `ConfigMap ${namespace}/${name}`;
      try {
        const once = (): Promise<Attempt> => attempt(file, tools, name, signal);
        const result = await retryOnConflict(once, signal, { attempts: TRIES });
        if ('refused' in result) return result;
        const { token, learned, notes } = result;
        return {
          token,
          frozen,
          direct: false,
          notes,
          ...(learned === undefined ? {} : { written: { target, learned } }),
        };
      } catch (error) {
        if (!isStatus(error, 409)) throw error;
        return {
          refused: {
            where: target,
            what: `was changed by others in each of ${TRIES} attempts to write it`,
            fix: 'find out which program keeps writing it; the program retries',
          },
        };
      }
    },
  };
}
