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

/** A hash of what of discovered services decides what is published: while it is the same, the documents are. */
export function fingerprint(services: readonly DiscoveredService[]): string {
  const parts = JSON.stringify(
    services.map(({ service, verdict, ...found }) => [
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
      found.clusterIPs,
      verdict.health,
      verdict.authRequired,
      verdict.facts,
      listPrint(verdict.tools),
      verdict.toolsTruncated,
    ]),
  );
  return hash(parts);
}
