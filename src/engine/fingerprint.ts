import type { DiscoveredService } from '../model/discovery.ts';

/** What of discovered services decides what is published, as a text: while it is the same, the documents are. */
export function fingerprint(services: readonly DiscoveredService[]): string {
  return JSON.stringify(
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
    ]),
  );
}
