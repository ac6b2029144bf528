import { holmesgptPlan } from '../config/holmesgpt.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { VersionTexts } from '../outputs/holmesgpt/version-line.ts';
import type { Follower } from '../outputs/output.ts';
import { CompressedMemory } from './compressed-memory.ts';
import type { Configuration } from './configuration.ts';
import type { Env } from './host.ts';
import { createMerger } from './merger.ts';

/** What the file was earlier. Versions are identified by their content, so all instances of the app share them. */
const versions = new CompressedMemory<VersionTexts>();

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
  const { AgentFollower } = await import('../outputs/holmesgpt/follower.ts');
  const { agentTokenProblem } = await import('../outputs/holmesgpt/agent-token.ts');
  const { holmesTarget, publishedTarget } = await import('../outputs/holmesgpt/publisher.ts');
  const { endpointReloader, restarter } = await import('../outputs/holmesgpt/reload.ts');
  const { reload, writeFor, reloadInterval } = plan;
  const published = { name: settings.configMapName, namespace: settings.configMapNamespace };
  const merge = createMerger({ holmesgptVersion: settings.holmesgptVersion, namespace: writeFor?.namespace });
  const follower = new AgentFollower({
    target:
      writeFor === undefined
        ? publishedTarget
        : holmesTarget(kube, {
            deployment: writeFor,
            published,
            check: (pod) => agentTokenProblem(pod, settings),
            merge,
            versions,
          }),
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
