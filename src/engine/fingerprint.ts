import { createHash } from 'node:crypto';
import type { DiscoveredService } from '../model/discovery.ts';

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
      verdict.health,
      verdict.authRequired,
      verdict.facts,
      verdict.tools,
      verdict.toolsTruncated,
    ]),
  );
  return createHash('sha256').update(parts).digest('hex');
}
