import type { Candidate, ExceededLimit, Problem } from '../model/discovery.ts';
import { displayKey, displayNamespace, partsOf } from '../model/key.ts';
import { isPart, objectOf } from '../model/part.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { detect, examine } from './detect.ts';
import { evaluate, scopeExclusion, switchOf } from './evaluate.ts';
import { type ExternalBackend, externalBackend } from './external-backend.ts';
import { type Facts, factsOf } from './identity.ts';
import { ignoredAnnotations } from './ignored-annotations.ts';
import { keptOut } from './kept-out.ts';
import type { DetectOptions } from './owner.ts';
import { factsOfPart } from './parts.ts';
import type { CompiledDetector, Rules } from './rules.ts';

/** One detector's verdict on a Service. */
export interface DetectorVerdict {
  readonly type: string;
  readonly matched: boolean;
  /** The evidence, most certain first, or why the detector does not match. */
  readonly reasons: readonly string[];
  /** Whether it nearly matches. */
  readonly near: boolean;
  /** Whether it is something else than the product, so that its type would be wrong. */
  readonly isOther?: true;
  /** Why the configuration excludes it, if it would match otherwise. */
  readonly excluded?: string;
  /** What to do if it is right all the same, as a clause. */
  readonly fix?: string;
}

/** Explains the result of detection for one Service. */
export interface Explanation {
  readonly service: Service;
  readonly detectors: readonly DetectorVerdict[];
  /** Why the Service is excluded before any detector runs. */
  readonly keptOut?: string;
  /** The backend outside the cluster that it leads to, if it is an ExternalName that the configuration does not allow. */
  readonly external?: ExternalBackend;
  /** The backend that the Service leads to, as its entry point or not. */
  readonly candidate?: Candidate;
  /** The backends of its parts, by the name of the part; absent: it has none. */
  readonly parts?: ReadonlyMap<string, Candidate>;
  /** The limit on Services of its namespace, if that leaves it out. */
  readonly limit?: ExceededLimit;
  readonly problems: readonly Problem[];
  /** Annotations that have no effect. */
  readonly ignored: readonly Problem[];
}

/** Why the configuration excludes a Service from a detector, and the setting, if only its type matters. */
function exclusionOf(
  { service }: Facts,
  compiled: CompiledDetector,
  { switchedOff }: Rules,
): { readonly why: string; readonly setting?: string } | undefined {
  if (switchedOff.includes(compiled))
    return {
      why: 'the configuration switches it off',
      setting: switchOf(compiled),
    };
  const why = scopeExclusion(service, compiled);
  return why === undefined ? undefined : { why };
}

/** The verdict of a detector that the configuration excludes, which shows whether it would match otherwise. */
function excludedVerdict(
  facts: Facts,
  compiled: CompiledDetector,
  rules: Rules,
  { why, setting }: { readonly why: string; readonly setting?: string },
): DetectorVerdict {
  const { type } = compiled.detector;
  const { namespaces: _, ...options } = compiled.options;
  const open = { ...compiled, options: { ...options, excludeNamespaces: [], requiredAnnotations: {} } };
  const verdict = evaluate(facts, open, rules);
  // A hint would count only together with a proof.
  if (!verdict.matched || verdict.certainty === 'hint')
    return { type, matched: false, near: false, reasons: [why] };
  const excluded = setting === undefined ? why : `${why} (${setting})`;
  const reason = `it would match (${verdict.evidence[0]?.detail}), but ${excluded}`;
  return { type, matched: false, near: true, reasons: [reason], excluded };
}

function verdictOf(facts: Facts, compiled: CompiledDetector, rules: Rules): DetectorVerdict {
  const { type } = compiled.detector;
  const exclusion = exclusionOf(facts, compiled, rules);
  if (exclusion !== undefined) return excludedVerdict(facts, compiled, rules, exclusion);
  const verdict = evaluate(facts, compiled, rules);
  if (verdict.matched)
    return { type, matched: true, near: false, reasons: verdict.evidence.map(({ detail }) => detail) };
  const fix = `if it is one, give ${type} and its URL as type and endpoint of ${displayKey(facts.service)} under tools in overrides.yaml`;
  return {
    type,
    matched: false,
    near: verdict.near,
    reasons: [verdict.why],
    ...(verdict.isOther === true ? { isOther: true } : {}),
    ...(verdict.otherPorts === true ? { fix } : {}),
  };
}

/**
 * Explains the result of detection for one Service, or for a part of it. Pure.
 * @param services all Services of its namespace, for grouping
 * @returns `undefined` if the Service is not among them
 */
export function explain(
  services: readonly Service[],
  key: ServiceKey,
  rules: Rules,
  options: DetectOptions,
): Explanation | undefined {
  const object = serviceKey(objectOf(partsOf(key)));
  const whole = services.find((candidate) => serviceKey(candidate) === object);
  if (whole === undefined) return undefined;
  const own = (examine(whole, rules, options).parts ?? []).map(({ match }) => match.service);
  const service = [whole, ...own].find((each) => serviceKey(each) === key);
  if (service === undefined) return undefined;
  const facts = isPart(service) ? factsOfPart(service) : factsOf(service, rules.vocabulary);
  const detectors = [...rules.detectors, ...rules.switchedOff]
    .sort((a, b) => a.order - b.order)
    .map((compiled) => verdictOf(facts, compiled, rules));
  const { candidates, problems, beyondNamespaceLimit = [] } = detect(services, rules, options);
  const limit = beyondNamespaceLimit.find((beyond) => beyond.services.has(key))?.limit;
  const candidateOf = ({ name }: Service): Candidate | undefined =>
    candidates.find(
      (found) =>
        displayNamespace(found.service) === displayNamespace(service) &&
        (found.service.name === name || found.alternates.includes(name)),
    );
  const candidate = candidateOf(service);
  const parts = (service === whole ? own : []).flatMap((part) => {
    const found = candidateOf(part);
    return found === undefined ? [] : [[part.name, found] as const];
  });
  const out = keptOut(service, rules, options);
  const external = out === undefined ? undefined : externalBackend(service, rules, options);
  return {
    service,
    detectors,
    ...(out === undefined ? {} : { keptOut: out }),
    ...(external === undefined ? {} : { external }),
    ...(candidate === undefined ? {} : { candidate }),
    ...(parts.length === 0 ? {} : { parts: new Map(parts) }),
    ...(limit === undefined ? {} : { limit }),
    problems: problems.filter(({ where }) => where === `Service ${displayKey(service)}`),
    ignored: out === undefined ? ignoredAnnotations(service, rules) : [],
  };
}
