import { detect } from '../detection/detect.ts';
import { interestOf } from '../detection/interest.ts';
import { mayAccess } from '../kubernetes/access-reviews.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { listPages } from '../kubernetes/list.ts';
import { servicesPath } from '../kubernetes/services.ts';
import { countOf } from '../model/count-of.ts';
import type { Problem } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { serviceFromObject } from '../sources/service-object.ts';
import type { Configuration } from './configuration.ts';
import { rulesOf } from './pipeline.ts';

/** Maximum namespaces to name in one line. */
const MAX_NAMED = 5;

/** Whether the Services of all namespaces may be listed, without trying it. A failure of the question is left to the command itself. */
export async function mayListAll(kube: KubeClient, signal: AbortSignal): Promise<boolean> {
  try {
    return await mayAccess(kube, { verb: 'list', resource: 'services' }, signal);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** The Services of all other namespaces, one namespace after the other: the API server lists them in this order. */
async function* othersByNamespace(
  settings: Configuration,
  kube: KubeClient,
  signal: AbortSignal,
): AsyncGenerator<readonly Service[], void, undefined> {
  const interest = interestOf(rulesOf(settings).rules);
  const searched = new Set(settings.namespaces);
  let same: Service[] = [];
  for await (const { items } of listPages(kube, { path: servicesPath('*') }, signal))
    for (const object of items) {
      const service = serviceFromObject(object, '', interest);
      if (typeof service === 'string' || searched.has(service.namespace)) continue;
      if (same[0] !== undefined && same[0].namespace !== service.namespace) {
        yield same;
        same = [];
      }
      same.push(service);
    }
  if (same.length > 0) yield same;
}

/**
 * Counts the likely backends in namespaces that the settings do not include. They are not probed. Holds the Services of one
 * namespace and of one page of the list at a time.
 * @returns one problem without a remedy; undefined if there are none, or if the Services of all namespaces may not be listed
 */
export async function backendsElsewhere(
  settings: Configuration,
  kube: KubeClient,
  signal: AbortSignal,
): Promise<Omit<Problem, 'fix'> | undefined> {
  const { namespaces, clusterDomain, allowedHosts, allowExternalNames, maxNamespaceServices } = settings;
  if (namespaces.includes('*') || !(await mayListAll(kube, signal))) return undefined;
  const { rules } = rulesOf(settings);
  const names: string[] = [];
  let count = 0;
  for await (const services of othersByNamespace(settings, kube, signal)) {
    const { candidates } = detect(services, rules, {
      ...{ clusterDomain, allowedHosts, allowExternalNames, maxNamespaceServices },
    });
    const found = candidates.filter(({ certainty }) => certainty !== 'hint').length;
    if (found > 0) names.push(services[0]?.namespace ?? '');
    count += found;
  }
  if (count === 0) return undefined;
  const more = names.length > MAX_NAMED ? `, and ${names.length - MAX_NAMED} more` : '';
  return {
    where: 'other namespaces',
    what: `not searched, with ${countOf(count, 'likely backend')}: ${names.slice(0, MAX_NAMED).join(', ')}${more}`,
  };
}
