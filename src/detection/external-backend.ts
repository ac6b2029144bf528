import type { Candidate, Endpoint } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { detect } from './detect.ts';
import { evaluate } from './evaluate.ts';
import { factsOf } from './identity.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';

/** The backend outside the cluster that a Service of type ExternalName leads to. */
export type ExternalBackend = Pick<Candidate, 'type' | 'endpoint'>;

/** The type and the usual port of the product that a Service without ports names, if it names only one. */
function withoutPorts(service: Service, host: string, rules: Rules): ExternalBackend | undefined {
  if (service.ports.length > 0) return undefined;
  const facts = factsOf(service, rules.vocabulary);
  const [only, ...others] = rules.detectors.filter((compiled) => {
    const verdict = evaluate(facts, compiled, rules);
    return !verdict.matched && verdict.near && verdict.missingPort;
  });
  const [port] = only?.detector.ports.numbers ?? [];
  if (only === undefined || port === undefined || others.length > 0) return undefined;
  const { type, transport } = only.detector;
  const endpoint: Endpoint = { scheme: transport === 'tcp' ? 'tcp' : 'http', host, port, path: '' };
  return { type, endpoint };
}

/** Where a Service of type ExternalName leads, and to what. `undefined` if no detector knows it. Pure. */
export function externalBackend(
  service: Service,
  rules: Rules,
  options: DetectOptions,
): ExternalBackend | undefined {
  if (service.type !== 'ExternalName' || service.externalName === undefined) return undefined;
  const host = withoutTrailing(service.externalName, '.');
  const allowed = { ...options, allowExternalNames: true };
  const [found] = detect([service], rules, allowed).candidates;
  if (found === undefined) return withoutPorts(service, host, rules);
  return { type: found.type, endpoint: { ...found.endpoint, host } };
}
