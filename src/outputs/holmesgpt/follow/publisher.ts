import { createHash } from 'node:crypto';
import { applyConfigMap, type ConfigMap, readConfigMap, writeKeys } from '../../../kubernetes/config-maps.ts';
import type { KubeClient } from '../../../kubernetes/connection.ts';
import { retryOnConflict } from '../../../kubernetes/retry-on-conflict.ts';
import { clusterError, isStatus } from '../../../kubernetes/status.ts';
import { textsOf } from '../../../model/binary-text.ts';
import type { Problem } from '../../../model/discovery.ts';
import type { Omission } from '../../../model/documents.ts';
import { ClusterError } from '../../../model/errors.ts';
import type { PodFiles } from '../../../model/pod-files.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import type { ConfigMapName } from '../../../publishers/config-map/config-map.ts';
import type { FollowOutcome, InForce } from '../../output.ts';
import { type AgentConfigMap, FILE, HAND_WRITTEN } from '../merge/agent-file.ts';
import type { EditMemory } from '../merge/edit-memory.ts';
import type { AgentMerge } from '../merge/merge.ts';
import type { Remembered } from '../merge/remembered.ts';
import { ConfigMapWatch, type WatchListener } from './config-map-watch.ts';
import { toolsetMount } from './mount.ts';
import { type DeploymentName, holmesDeployment } from './reload.ts';

/** The result of syncing the file to where HolmesGPT reads it. */
export type SyncResult =
  | {
      /** Identifies the state of the file. */
      readonly token: string;
      /** The file is mounted as a single file (`subPath`), so a running Pod never sees a change. */
      readonly frozen: boolean;
      /** HolmesGPT reads the published ConfigMap itself, so every change of that reaches it. */
      readonly direct: boolean;
      readonly written?: Omit<Extract<FollowOutcome, { kind: 'agent-written' }>, 'kind'>;
      /** Explains interpretations of hand-written text that the author may not expect. */
      readonly notes?: readonly Problem[];
      /** The tools that HolmesGPT does not get, because of what people wrote; absent: none. */
      readonly leftOut?: readonly Omission[];
      /** Bytes that there are for the file; absent: any number. */
      readonly room?: number;
    }
  | {
      readonly refused: Problem;
      /** Bytes that there are for the file, if it has too many. */
      readonly room?: number | undefined;
    };

/** The place from which HolmesGPT reads its file. */
export interface AgentTarget {
  /**
   * @param file `custom_toolset.yaml`
   * @param tools the tools that are published with it
   * @throws UserError if the cluster refuses
   */
  sync(file: string, signal: AbortSignal, tools?: readonly PublishedTool[]): Promise<SyncResult>;
  /** Reports changes by other clients in the place that `sync` found, until the signal is aborted. Absent: nobody else writes. */
  watch?(listener: WatchListener, signal: AbortSignal): Promise<void>;
}

/** HolmesGPT's own ConfigMap. */
export interface HolmesTarget extends AgentTarget {
  /**
   * What people wrote there does to a published file; `undefined` if it cannot be merged with that. Writes nothing.
   * @throws UserError if the cluster refuses
   */
  inForce(file: string, signal: AbortSignal, tools: readonly PublishedTool[]): Promise<InForce | undefined>;
}

const tokenOf = (file: string): string => createHash('sha256').update(file).digest('hex').slice(0, 16);

/** HolmesGPT mounts the published ConfigMap, so there is nothing to sync. */
export const publishedTarget: AgentTarget = {
  sync: async (file) => ({ token: tokenOf(file), frozen: false, direct: true }),
};

/** The field manager of our fields. */
const FIELD_MANAGER = 'dynamic-toolset';

/** Maximum number of attempts when writes conflict. */
const TRIES = 4;

export interface HolmesTargetOptions {
  readonly deployment: DeploymentName;
  /** The published ConfigMap. */
  readonly published: ConfigMapName;
  /** The problem with the environment of HolmesGPT's Pod, if there is one. */
  readonly check: (pod: PodFiles) => Omit<Problem, 'where'> | undefined;
  /** Plans the update of HolmesGPT's ConfigMap; see `mergeForAgent`. */
  readonly merge: (
    offered: string,
    live: AgentConfigMap,
    tools?: readonly PublishedTool[],
    remembered?: Remembered,
  ) => Promise<AgentMerge>;
  /** What this process remembers of the file and of edits. */
  readonly memory: EditMemory;
}

type Attempt =
  | { readonly refused: Problem; readonly room?: number | undefined }
  | {
      readonly token: string;
      /** Absent: there was nothing to write. */
      readonly written?: Pick<AgentMerge & { readonly kind: 'write' }, 'learned' | 'change'>;
      readonly notes: readonly Problem[];
      readonly leftOut: readonly Omission[];
      readonly room: number;
    };

/** What the authors of edits should know. */
function aboutEdits(merge: AgentMerge & { readonly kind: 'write' }): readonly Omit<Problem, 'where'>[] {
  const lost = notKept(merge);
  const { change, rewritten } = merge;
  return [
    ...(lost === undefined ? [] : [lost]),
    ...(change?.kind !== 'edited' || change.others === undefined
      ? []
      : [
          {
            what: `${FILE} was saved from an earlier version, with ${change.others.join(', ')} as it was before people changed that; these changes stay`,
            fix: `to undo one, edit ${FILE} as it is now`,
          },
        ]),
    ...(change?.kind === 'restored' ? [restoredNote(change.isWhole)] : []),
    ...(change?.kind === 'gone' ? [GONE] : []),
    ...(rewritten === undefined
      ? []
      : [
          {
            what: `somebody changed or removed ${rewritten.entries.join(', ')} in ${HAND_WRITTEN}`,
            fix:
              rewritten.key === undefined
                ? 'if that was not meant, because an editor was open for long, make the changes again that are lost'
                : `the text from before is under the key ${rewritten.key}; if that was not meant, because an editor was open for long, put back what is lost; then remove that key`,
          },
        ]),
  ];
}

/** That nothing has the hand-written text any more. */
const GONE: Omit<Problem, 'where'> = {
  what: `the keys ${FILE} and ${HAND_WRITTEN} were deleted while the program did not run, and with them what people wrote`,
  fix: `write it into ${HAND_WRITTEN} again`,
};

/** That the hand-written text is there again. */
const restoredNote = (isWhole: boolean): Omit<Problem, 'where'> =>
  isWhole
    ? {
        what: `the key ${HAND_WRITTEN} was deleted, and is back with the same text`,
        fix: 'to remove what it says, empty it instead',
      }
    : {
        what: `the key ${HAND_WRITTEN} was deleted, and is back with what ${FILE} shows: its comments are lost, and a list with backends of yours now also has the discovered ones as yours`,
        fix: 'check it, and correct it there; to remove what it says, empty it instead',
      };

/** Why not everything of an edited file was kept, and where it is. */
function notKept({
  change,
  rejected = '',
}: Pick<AgentMerge & { readonly kind: 'write' }, 'change' | 'rejected'>): Omit<Problem, 'where'> | undefined {
  const isKept = rejected !== '';
  const where = isKept
    ? `the edited file is under the key ${rejected}`
    : 'the edited file was too large to be kept';
  const then = isKept ? ', and remove that key' : '';
  if (change?.kind === 'edited' && change.lost.length > 0)
    return {
      what: `edits of ${change.lost.join(', ')} were not applied: the same was changed or removed while the editor was open, by somebody, or in the cluster`,
      fix: `${where}; edit ${FILE} again${then}`,
    };
  if (change?.kind !== 'rejected') return undefined;
  return {
    what: change.hasVersion
      ? `an edit of ${FILE} was not applied: the version that it began with is not known any more, because the program restarted, its settings changed, or the file changed too often meanwhile`
      : `an edit of ${FILE} was not applied: its line "# Version …" is missing, so what it changes is unknown`,
    fix: `${where}; make the same changes in ${FILE} as it is now${then}`,
  };
}

/** Writes our keys and annotations to the ConfigMap that HolmesGPT's Deployment mounts, and nothing else of it. */
export function holmesTarget(
  kube: KubeClient,
  { deployment, published, check, merge: mergeWith, memory }: HolmesTargetOptions,
): HolmesTarget {
  const { namespace } = deployment;
  const owner = `Deployment ${namespace}/${deployment.name}`;
  const watch = new ConfigMapWatch(kube, namespace);

  const read = async (name: string, signal: AbortSignal): Promise<ConfigMap | undefined> => {
    try {
      return await readConfigMap(kube, namespace, name, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw clusterError(error, `read ConfigMap ${namespace}/${name}`, kube.server);
    }
  };

  /** The merge of a file with a ConfigMap as it is. */
  const mergeInto = (
    file: string,
    tools: readonly PublishedTool[] | undefined,
    name: string,
    current: AgentConfigMap,
  ): Promise<AgentMerge> => mergeWith(file, current, tools, memory.of(`${namespace}/${name}`, current));

  /** One attempt. @throws ApiStatusError 409 if another client wrote at the same time */
  const attempt = async (
    file: string,
    tools: readonly PublishedTool[] | undefined,
    name: string,
    signal: AbortSignal,
  ): Promise<Attempt> => {
    const where = `ConfigMap ${namespace}/${name}`;
    const refused = (what: string, fix: string) => ({ refused: { where, what, fix } });
    const live = await read(name, signal);
    watch.knows(name, live && textsOf(live));
    if (live === undefined)
      return refused(
        `does not exist, and ${owner} mounts it`,
        'create it, as the chart of HolmesGPT does, or let HolmesGPT mount ours',
      );
    const { annotations = {}, resourceVersion, uid } = live.metadata ?? {};
    const current = { data: textsOf(live), annotations };
    const merge = await mergeInto(file, tools, name, current);
    if (merge.kind === 'refused') return { ...refused(merge.what, merge.fix), room: merge.room };
    const { room, inForce } = merge;
    const { leftOut } = inForce;
    const notes = merge.notes.map(
      ({ section, name: entry, note }): Problem => ({
        where: `${where}, ${section} ${entry}`,
        ...note,
      }),
    );
    if (merge.kind === 'none') {
      memory.unchanged(`${namespace}/${name}`, current);
      return { token: merge.token, notes, leftOut, room };
    }
    if (live.immutable === true)
      return refused('is immutable, so nothing in it can be changed', 'recreate it without immutable');
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      // The uid prevents that a ConfigMap that was deleted meanwhile is created again without the other keys.
      metadata: { namespace, name, annotations: merge.annotations, resourceVersion, uid },
      data: merge.data,
    };
    watch.knows(name, merge.data);
    const moved = Object.keys(live.binaryData ?? {}).filter((key) => Object.hasOwn(merge.data, key));
    try {
      const basis = moved.length > 0 ? await writeKeys(kube, object, moved, FIELD_MANAGER, signal) : live;
      const whole = {
        ...object,
        metadata: { ...object.metadata, resourceVersion: basis.metadata?.resourceVersion },
      };
      await applyConfigMap(kube, whole, { fieldManager: FIELD_MANAGER, force: true }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isStatus(error, 409)) throw error;
      throw clusterError(error, `write ${where}`, kube.server);
    }
    memory.wrote(`${namespace}/${name}`, merge);
    notes.push(...aboutEdits(merge).map((note) => ({ where, ...note })));
    return { token: merge.token, written: merge, notes, leftOut, room };
  };

  return {
    async inForce(file, signal, tools) {
      const found = await holmesDeployment(kube, deployment, signal);
      const mount = toolsetMount(found.spec?.template?.spec ?? {});
      if ('what' in mount) return undefined;
      const { configMap: name } = mount;
      if (namespace === published.namespace && name === published.name) return undefined;
      const live = await read(name, signal);
      if (live === undefined) return undefined;
      const merge = await mergeInto(file, tools, name, {
        data: textsOf(live),
        annotations: live.metadata?.annotations ?? {},
      });
      return merge.kind === 'refused' ? undefined : merge.inForce;
    },

    async sync(file, signal, tools) {
      const found = await holmesDeployment(kube, deployment, signal);
      const pod = found.spec?.template?.spec ?? {};
      const mount = toolsetMount(pod);
      if ('what' in mount) return { refused: { where: owner, ...mount } };
      const { configMap: name, frozen } = mount;
      const problem = check(pod);
      const checked = problem === undefined ? [] : [{ where: owner, ...problem }];
      if (namespace === published.namespace && name === published.name)
        return { token: tokenOf(file), frozen, direct: true, notes: checked };
      const target = `ConfigMap ${namespace}/${name}`;
      try {
        const once = (): Promise<Attempt> => attempt(file, tools, name, signal);
        const result = await retryOnConflict(once, signal, { attempts: TRIES });
        if ('refused' in result) return result;
        const { token, written, notes, leftOut, room } = result;
        return {
          token,
          room,
          leftOut,
          frozen,
          direct: false,
          notes: [...checked, ...notes],
          ...(written === undefined
            ? {}
            : {
                written: {
                  target,
                  ...(written.learned === undefined ? {} : { learned: written.learned }),
                  ...(written.change?.kind === 'replaced' ? { isReplaced: true } : {}),
                },
              }),
        };
      } catch (error) {
        if (!isStatus(error, 409)) throw error;
        const what = `was changed by others in each of ${TRIES} attempts to write it`;
        throw new ClusterError(`${target} ${what}; if this lasts, find out which program keeps writing it`, {
          cause: error,
        });
      }
    },

    watch: (listener, signal) => watch.run(listener, signal),
  };
}
