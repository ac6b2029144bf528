import { admissionOf } from '../generate/admission.ts';
import type { Approval, DiscoveredService } from '../model/discovery.ts';
import { OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { readOverrides } from '../reconcile/overrides.ts';
import type { Configuration } from './configuration.ts';
import type { Input } from './pipeline.ts';

/** The overrides in the published ConfigMap; nothing where there are none, or they may not or cannot be read. */
async function publishedOverrides(
  { configMapNamespace, configMapName }: Configuration,
  { kube }: Input,
  signal: AbortSignal,
): Promise<Overrides> {
  if (kube === undefined) return NO_OVERRIDES;
  const { readConfigMap } = await import('../kube/config-maps.ts');
  try {
    const live = await readConfigMap(kube, configMapNamespace, configMapName, signal);
    const read = readOverrides(live?.data?.[OVERRIDES_KEY]);
    return 'value' in read ? read.value : NO_OVERRIDES;
  } catch {
    signal.throwIfAborted();
    return NO_OVERRIDES;
  }
}

/**
 * Says of each discovered service whether `serve` would publish it. What people approved is looked up only where something
 * depends on it.
 */
export async function approvalsOf(
  services: readonly DiscoveredService[],
  settings: Configuration,
  input: Input,
  signal: AbortSignal,
): Promise<(service: DiscoveredService) => Approval> {
  const depends = services.some((service) => admissionOf(service, settings).state !== 'open');
  const overrides = depends ? await publishedOverrides(settings, input, signal) : NO_OVERRIDES;
  return (service) => admissionOf(service, settings, overrides);
}
