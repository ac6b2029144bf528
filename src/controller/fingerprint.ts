import { createHash } from 'node:crypto';
import type { DiscoveredService, McpTool } from '../model/discovery.ts';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A list of tools is long, and the same object from one probe to the next. */
const listPrints = new WeakMap<readonly McpTool[], string>();

function listPrint(tools: readonly McpTool[] | undefined): string | undefined {
  if (tools === undefined) return undefined;
  const known = listPrints.get(tools);
  if (known !== undefined) return known;
  const print = hash(JSON.stringify(tools));
  listPrints.set(tools, print);
  return print;
}

/** Services that did not change are the same objects from one snapshot to the next. */
const servicePrints = new WeakMap<DiscoveredService, string>();

function servicePrint(found: DiscoveredService): string {
  const known = servicePrints.get(found);
  if (known !== undefined) return known;
  const { service, verdict } = found;
  const print = hash(
    JSON.stringify([
      service.cluster,
      service.namespace,
      service.name,
      found.tool,
      found.type,
      found.detector,
      found.kind,
      found.endpoint,
      found.mode,
      found.description,
      found.tenantDescription,
      found.certainty,
      found.alternates,
      found.samePods,
      found.sharesPods,
      found.targets,
      found.clusterIPs,
      verdict.health,
      verdict.authRequired,
      verdict.facts,
      listPrint(verdict.tools),
      verdict.toolsTruncated,
    ]),
  );
  servicePrints.set(found, print);
  return print;
}

/** A hash of what of discovered services decides what is published: while it is the same, the documents are. */
export function fingerprint(services: readonly DiscoveredService[]): string {
  return hash(services.map(servicePrint).join());
}
