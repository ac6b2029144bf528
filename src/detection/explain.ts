import type { Candidate, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { detect } from './detect.ts';
import { evaluate } from './evaluate.ts';
import { factsOf } from './identity.ts';
import { ignoredAnnotations } from './ignored-annotations.ts';
import { keptOut } from './kept-out.ts';
import type { DetectOptions } from './owner.ts';
import type { Rules } from './rules.ts';

/** One detector's verdict on a Service. */
export interface DetectorVerdict {
  readonly type: string;
  readonly matched: boolean;
  /** The evidence, most certain first, or why the detector does not match. */
  readonly reasons: readonly string[];
  /** Whether it nearly matches. */
  readonly near: boolean;
}

/** Explains the result of detection for one Service. */
export interface Explanation {
  readonly service: Service;
  readonly detectors: readonly DetectorVerdict[];
  /** Why the Service is excluded before any detector runs. */
  readonly keptOut?: string;
  /** The backend that the Service leads to, as its entry point or not. */
  readonly candidate?: Candidate;
  readonly problems: readonly Problem[];
  /** Annotations that have no effect. */
  readonly ignored: readonly Problem[];
}

/**
 * Explains the result of detection for one Service. Pure.
 * @param services all Services of its namespace, for grouping
 * @returns `undefined` if the Service is not among them
 */
export function explain(
  services: readonly Service[],
  key: ServiceKey,
  rules: Rules,
  options: DetectOptions,
): Explanation | undefined {
  const service = services.find((candidate) => serviceKey(candidate) === key);
  if (service === undefined) return undefined;
  const facts = factsOf(service, rules.vocabulary);
  const detectors = rules.detectors.map((compiled): DetectorVerdict => {
    const verdict = evaluate(facts, compiled, rules);
    return verdict.matched
      ? {
          type: compiled.detector.type,
          matched: true,
          near: false,
          reasons: verdict.evidence.map(({ detail }) => detail),
        }
      : { type: compiled.detector.type, matched: false, near: verdict.near, reasons: [verdict.why] };
  });
  const { candidates, problems } = detect(services, rules, options);
  const candidate = candidates.find(
    (found) =>
      displayNamespace(found.service) === displayNamespace(service) &&
      (found.service.name === service.name || found.alternates.includes(service.name)),
  );
  const out = keptOut(service, rules, options);
  return {
    service,
    detectors,
    ...(out === undefined ? {} : { keptOut: out }),
    ...(candidate === undefined ? {} : { candidate }),
    problems: problems.filter(({ where }) => where === `Service ${displayKey(service)}`),
    ignored: out === undefined ? ignoredAnnotations(service, rules) : [],
  };
}
