import type { EngineTarget } from '../controller/target.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import type { OutputSettings } from '../outputs/registry.ts';
import type { TargetType } from '../outputs/target-type.ts';
import type { Publisher } from '../publishers/publisher.ts';

/** The options that depend on the type of a target. The policy is the same for all. */
export type OtherTarget = Omit<EngineTarget, 'generation' | 'removalHold' | 'force' | 'excluded'>;

/**
 * Opens the configured targets other than the home target.
 * @param home where users write `overrides.yaml`, which applies to all targets
 * @throws UserError if the settings contradict each other
 */
export async function openOtherTargets(
  types: readonly TargetType<OutputSettings>[],
  settings: OutputSettings,
  kube: KubeClient | undefined,
  home: Publisher,
): Promise<readonly OtherTarget[]> {
  const opened = await Promise.all(
    types.map(async ({ id, outputs, open }): Promise<OtherTarget | undefined> => {
      const place = await open(settings, kube);
      if (place === undefined) return undefined;
      return {
        ...{ id, outputs, publisher: place.publisher, follower: place.follower },
        owner: async () => undefined,
        readOverrides: async (signal) => (await home.read(signal))?.data[OVERRIDES_KEY],
      };
    }),
  );
  return opened.filter((target) => target !== undefined);
}
