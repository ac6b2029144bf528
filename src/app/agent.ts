import { holmesgptPlan } from '../config/holmesgpt.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { ConfigError } from '../model/errors.ts';
import type { Follower } from '../outputs/output.ts';
import type { Configuration } from './configuration.ts';
import type { Env } from './host.ts';
import { merger } from './merger.ts';

/**
 * What sees to it that HolmesGPT reads what is published, if the settings ask for that.
 * @param kube the connection to the cluster that is published to; nothing for a file
 * @throws UserError for settings that make no sense together
 */
export async function agentOf(
  settings: Configuration,
  env: Env,
  kube: KubeClient | undefined,
): Promise<Follower | undefined> {
  const wanted = holmesgptPlan(settings, env.HOLMESGPT_API_KEY);
  if (wanted === undefined) return undefined;
  if (kube === undefined)
    throw new ConfigError('HolmesGPT settings cannot be used with --out: remove one of the two');
  const { AgentFollower } = await import('../outputs/holmesgpt/follower.ts');
  const { holmesPlace, publishedPlace } = await import('../outputs/holmesgpt/publisher.ts');
  const { endpointReloader, restarter } = await import('../outputs/holmesgpt/reload.ts');
  const { reload, writeFor, reloadInterval } = wanted;
  const published = { name: settings.configMapName, namespace: settings.configMapNamespace };
  const merge = merger({ holmesgptVersion: settings.holmesgptVersion, namespace: writeFor?.namespace });
  return new AgentFollower({
    place:
      writeFor === undefined ? publishedPlace : holmesPlace(kube, { deployment: writeFor, published, merge }),
    reloader:
      reload === undefined
        ? undefined
        : reload.how === 'restart'
          ? restarter(kube, reload.deployment)
          : endpointReloader(reload.url, reload.apiKey),
    reloadInterval,
    checkInterval: settings.discoveryInterval,
    now: () => performance.now(),
    date: () => new Date(),
    random: Math.random,
  });
}
