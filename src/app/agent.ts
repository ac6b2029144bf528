import { holmesgptPlan } from '../config/holmesgpt.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Toolset } from '../model/documents.ts';
import { UserError } from '../model/errors.ts';
import type { HolmesTarget } from '../outputs/holmesgpt/follow/publisher.ts';
import type { DeploymentName } from '../outputs/holmesgpt/follow/reload.ts';
import type { EditMemory } from '../outputs/holmesgpt/merge/edit-memory.ts';
import type { VersionTexts } from '../outputs/holmesgpt/merge/version-line.ts';
import type { Follower, InForce } from '../outputs/output.ts';
import { CompressedMemory } from './compressed-memory.ts';
import type { Configuration } from './configuration.ts';
import type { Env } from './host.ts';
import { createMerger } from './merger.ts';

/** What is remembered of HolmesGPT's file. All instances of the app share it. */
let memory: EditMemory | undefined;

/**
 * Creates the follower that makes HolmesGPT load the published documents, if it is configured. A file has none: then a warning
 * says that these settings have no effect.
 * @param kube the cluster of the published ConfigMap; `undefined` if the target is a file
 * @param room that of the follower before, which the first sync corrects
 * @throws UserError if the settings contradict each other
 */
export async function createFollower(
  settings: Configuration,
  env: Env,
  kube: KubeClient | undefined,
  room: number | undefined,
): Promise<{ readonly follower?: Follower; readonly warning?: string }> {
  const plan = holmesgptPlan(settings, env.HOLMESGPT_API_KEY);
  if (plan === undefined) return {};
  if (kube === undefined)
    return {
      warning: 'the settings that write to HolmesGPT or make it reload have no effect with --out; unset them',
    };
  const { AgentFollower } = await import('../outputs/holmesgpt/follow/follower.ts');
  const { publishedTarget } = await import('../outputs/holmesgpt/follow/publisher.ts');
  const { endpointReloader, restarter } = await import('../outputs/holmesgpt/follow/reload.ts');
  const { reload, writeFor, reloadInterval } = plan;
  const follower = new AgentFollower({
    target: writeFor === undefined ? publishedTarget : await holmesTargetOf(settings, writeFor, kube),
    reloader:
      reload === undefined
        ? undefined
        : reload.how === 'restart'
          ? restarter(kube, reload.deployment)
          : endpointReloader(reload.url, reload.apiKey),
    reloadInterval,
    checkInterval: settings.discoveryInterval,
    room,
    now: () => performance.now(),
    date: () => new Date(),
    random: Math.random,
  });
  return { follower };
}

/** HolmesGPT's own ConfigMap, which its Deployment mounts. */
async function holmesTargetOf(
  settings: Configuration,
  deployment: DeploymentName,
  kube: KubeClient,
): Promise<HolmesTarget> {
  const { agentTokenProblem } = await import('../outputs/holmesgpt/render/agent-token.ts');
  const { holmesTarget } = await import('../outputs/holmesgpt/follow/publisher.ts');
  if (memory === undefined) {
    const { EditMemory } = await import('../outputs/holmesgpt/merge/edit-memory.ts');
    memory ??= new EditMemory(new CompressedMemory<VersionTexts>());
  }
  return holmesTarget(kube, {
    deployment,
    published: { name: settings.configMapName, namespace: settings.configMapNamespace },
    check: (pod) => agentTokenProblem(pod, settings),
    merge: createMerger({ holmesgptVersion: settings.holmesgptVersion, namespace: deployment.namespace }),
    memory,
  });
}

/**
 * What people wrote in HolmesGPT's own ConfigMap does to the published documents. `undefined` if `serve` does not write there,
 * or if it cannot be read.
 */
export async function inForceAtAgent(
  settings: Configuration,
  kube: KubeClient | undefined,
  { documents, tools }: Toolset,
  signal: AbortSignal,
): Promise<InForce | undefined> {
  const { holmesgptConfigMap: isWritten, holmesgptDeployment: deployment } = settings;
  if (!isWritten || deployment === undefined || kube === undefined) return undefined;
  const { FILE } = await import('../outputs/holmesgpt/merge/agent-file.ts');
  const target = await holmesTargetOf(settings, deployment, kube);
  try {
    return await target.inForce(documents[FILE] ?? '', signal, tools);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
