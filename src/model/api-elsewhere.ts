import type { Candidate } from './discovery.ts';
import { displayKey } from './key.ts';

/**
 * What an operator can do if the API of a backend is not where it was looked for, as a clause. It must work exactly as it
 * is written, so it does not name the owner's annotation, which counts only for a Service that its owner offers.
 */
export function apiElsewhere({
  detector,
  service,
  endpoint,
}: Pick<Candidate, 'detector' | 'service' | 'endpoint'>): string {
  const key = displayKey(service);
  const url = `give its URL as the endpoint of ${key} under tools in overrides.yaml`;
  return endpoint.scheme === 'tcp'
    ? `if it listens at another port, ${url}`
    : `if its API is at another port or path, ${url}, or set its path in detectors.${detector}.paths["${key}"]`;
}
