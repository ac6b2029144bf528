import { hash as digest } from 'node:crypto';
import type { DiscoveredService } from '../model/discovery.ts';

const hash = (text: string): string => digest('sha256', text);

/** Cached, because lists of tools and names are long, and many Services or verdicts share one object. */
const prints = new WeakMap<object, string>();

function printOf(shared: object | undefined): string | undefined {
  if (shared === undefined) return undefined;
  const known = prints.get(shared);
  if (known !== undefined) return known;
  const print = hash(JSON.stringify(shared));
  prints.set(shared, print);
  return print;
}

/** An unchanged Service is the same object in the next snapshot. */
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
      found.bundledWith,
      found.alternates,
      found.newcomers,
      found.samePods,
      printOf(found.sharesPods),
      found.targets,
      printOf(found.clusterIPs),
      verdict.health,
      verdict.authRequired,
      verdict.tenantRequired,
      verdict.certificate,
      verdict.facts,
      printOf(verdict.tools),
      verdict.toolsTruncated,
    ]),
  );
  servicePrints.set(found, print);
  return print;
}

/** A hash of everything in discovered services that affects the documents. */
export function fingerprint(services: readonly DiscoveredService[]): string {
  return hash(services.map(servicePrint).join());
}
