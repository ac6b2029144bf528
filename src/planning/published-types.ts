import { HOME_CLUSTER } from '../model/key.ts';
import { addressedService } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';

/** The types of published tools, by Service. */
export type PublishedTypes = ReadonlyMap<ServiceKey, string>;

/**
 * Reads the types of published tools. A tool with a URL from overrides has no Service in its metadata, but its name is
 * `SERVICE.NAMESPACE`. Display names cannot contain a dot.
 */
export function publishedTypes(tools: readonly PublishedTool[]): PublishedTypes {
  const types = new Map<ServiceKey, string>();
  const own = new Map<ServiceKey, string>();
  for (const { name, type, cluster = HOME_CLUSTER, namespace, metadata } of tools) {
    const { service, alternates = '' } = metadata;
    if (type === '') continue;
    if (service === undefined || namespace === undefined) {
      const address = addressedService(name);
      if (address !== undefined) own.set(serviceKey(address), type);
      continue;
    }
    for (const member of alternates.split(',').filter((each) => each !== '')) {
      const key = serviceKey({ cluster, namespace, name: member });
      if (!types.has(key)) types.set(key, type);
    }
    types.set(serviceKey({ cluster, namespace, name: service }), type);
  }
  return new Map([...types, ...own]);
}
