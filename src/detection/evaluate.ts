import { type Approvals, approvalKind, isApproved } from '../model/approvals.ts';
import type { Certainty, Detector } from '../model/detector.ts';
import type { Evidence } from '../model/discovery.ts';
import { type Service, serviceKey } from '../model/service.ts';
import { certaintyRank, type Facts, type Identity, identify, rolesOf } from './identity.ts';
import { fitsPattern, matchService } from './match.ts';
import { choosePort, type PortChoice } from './port.ts';
import type { CompiledDetector, Rules } from './rules.ts';

/** Positive result of a detector. */
export interface Match {
  readonly matched: true;
  readonly compiled: CompiledDetector;
  /** The detector of the owner's annotations, if it is another one. */
  readonly owner?: CompiledDetector;
  readonly service: Service;
  readonly certainty: Certainty;
  readonly exact: boolean;
  readonly length: number;
  readonly port: PortChoice;
  /** Rank as an entry point. Lower is better. */
  readonly rank: number;
  readonly roles: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** Negative result of a detector. */
export interface Miss {
  readonly matched: false;
  readonly compiled: CompiledDetector;
  readonly why: string;
  /** Whether it nearly matches, so that a user may wonder why it is left out. */
  readonly near: boolean;
  /** Whether only a port is missing, or, for an annotated Service, the right port is ambiguous. */
  readonly missingPort: boolean;
  /** Whether only a port is missing that is known to be one of the product's. */
  readonly otherPorts?: true;
  /** Whether it is something else than the product, so that its type would be wrong. */
  readonly isOther?: true;
}

/** Rank of a component without a role: after the front ends of a query path, before its other parts. */
const DEFAULT_RANK = 30;

/** Weak certainties. Such a Service counts only if it also has one of the detector's ports. */
const NEEDS_PORT: ReadonlySet<Certainty> = new Set(['component', 'name', 'hint']);

/** The setting that switches a detector off. */
export const switchOf = ({ detector: { type }, options }: CompiledDetector): string =>
  options.enabled ? `ENABLE_${type.toUpperCase()}=false` : `enabled: false of ${type} in detectors`;

/** Why the configuration excludes a namespace from a detector, with the option. */
function namespaceExclusion(
  namespace: string,
  { detector: { type }, options }: CompiledDetector,
): string | undefined {
  const within = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => fitsPattern(namespace, pattern));
  if (options.namespaces !== undefined && !within(options.namespaces))
    return `the configuration has it look in ${options.namespaces.join(', ')} only (namespaces of ${type} in detectors)`;
  return within(options.excludeNamespaces)
    ? `the configuration keeps it out of this namespace (excludeNamespaces of ${type} in detectors)`
    : undefined;
}

/** Whether the configuration disables a type in a namespace. */
export function isDisabled(type: string, namespace: string, { byType, disabled }: Rules): boolean {
  const compiled = byType.get(type);
  return (
    disabled.has(type) || (compiled !== undefined && namespaceExclusion(namespace, compiled) !== undefined)
  );
}

/** Why the configuration excludes a Service from a detector, with the option. */
export function scopeExclusion(service: Service, compiled: CompiledDetector): string | undefined {
  const { options } = compiled;
  const elsewhere = namespaceExclusion(service.namespace, compiled);
  if (elsewhere !== undefined) return elsewhere;
  const required = Object.entries(options.requiredAnnotations);
  const has = ([key, pattern]: readonly [string, string]): boolean =>
    Object.hasOwn(service.annotations, key) && fitsPattern(service.annotations[key] ?? '', pattern);
  if (required.length > 0 && !(options.require === 'all' ? required.every(has) : required.some(has)))
    return `the configuration wants ${options.require} of the annotations ${required.map(([key]) => key).join(', ')} (requiredAnnotations of ${compiled.detector.type} in detectors)`;
  return undefined;
}

/** Whether the Service of a match is approved as the kind that its owner declares. */
export function isApprovedMatch(
  { service, owner, compiled }: Match,
  rules: Rules,
  approvals: Approvals,
): boolean {
  if (approvals.size === 0 || !approvals.has(serviceKey(service))) return false;
  const named = namedDetector(service, (owner ?? compiled).detector, rules);
  const detector = named === owner?.detector ? compiled.detector : named;
  return isApproved(approvals, service, approvalKind({ mcp: detector.mcp, detector: detector.type }));
}

/** The detector of the type that the Service's owner names, or else the given one. */
function namedDetector(service: Service, detector: Detector, rules: Rules): Detector {
  return rules.byType.get(namedType(service, detector) ?? '')?.detector ?? detector;
}

/** The type that the Service's owner names in the detector's annotation. */
function namedType(
  { annotations }: Service,
  { fromAnnotations: { type: key } }: Detector,
): string | undefined {
  return key !== undefined && Object.hasOwn(annotations, key) ? annotations[key]?.trim() : undefined;
}

/**
 * Why the configuration forbids a type for a Service, as the end of a sentence. It applies whether the type comes from the
 * owner's annotation or from a probe.
 */
export function forbiddenType(
  type: string,
  service: Service,
  { byType, disabled, switchedOff }: Rules,
): string | undefined {
  if (disabled.has(type)) {
    const off = switchedOff.find(({ detector }) => detector.type === type);
    return `which the configuration switches off${off === undefined ? '' : ` (${switchOf(off)})`}`;
  }
  const compiled = byType.get(type);
  const outside = compiled === undefined ? undefined : scopeExclusion(service, compiled);
  return outside === undefined ? undefined : `and ${outside}`;
}

/** Evaluates one detector for one Service. */
export function evaluate(facts: Facts, compiled: CompiledDetector, rules: Rules): Match | Miss {
  const { service } = facts;
  const { detector } = compiled;
  const miss = (why: string, near: boolean, missingPort = false): Miss => ({
    matched: false,
    compiled,
    why,
    near,
    missingPort,
  });

  const outside = scopeExclusion(service, compiled);
  if (outside !== undefined) return miss(outside, false);

  const evidence: Evidence[] = [];
  let certainty: Certainty | undefined;
  for (const signal of compiled.signals) {
    const detail = matchService(service, signal.match);
    if (detail === undefined) continue;
    evidence.push({ signal: signal.certainty, detail });
    if (certainty === undefined || certaintyRank(signal.certainty) < certaintyRank(certainty))
      certainty = signal.certainty;
  }
  const type = namedType(service, detector);
  const forbidden =
    type === undefined || certainty === undefined ? undefined : forbiddenType(type, service, rules);
  if (forbidden !== undefined) return miss(`its owner offers it as ${type}, ${forbidden}`, true);
  const signalled = certainty;
  const { found, near } = identify(facts, compiled, rules);
  for (const identity of found) evidence.push({ signal: identity.certainty, detail: identity.detail });
  const best: Identity | undefined = found[0];
  if (
    best !== undefined &&
    (certainty === undefined || certaintyRank(best.certainty) < certaintyRank(certainty))
  )
    certainty = best.certainty;
  if (certainty === undefined) return miss(near[0] ?? 'no match', near.length > 0);

  for (const { why, ...match } of detector.exclude) {
    const detail = matchService(service, match);
    if (detail !== undefined) return { ...miss(`${detail}: ${why}`, true), isOther: true };
  }
  const played = rolesOf(facts, found, compiled, rules);
  const roles = played.filter(({ role }) => !compiled.accepts.has(role.name));
  if (certainty !== 'annotation') {
    const never = roles.find(({ role }) => role.rank === undefined);
    if (never !== undefined)
      return {
        ...miss(`"${never.words}" means role ${never.role.name}: ${never.role.why}`, true),
        ...(never.role.isOther ? { isOther: true as const } : {}),
      };
  }

  const stated = signalled === certainty;
  // A label may have a longer name than the selector: kube-prometheus-stack-prometheus selects prometheus.
  // The Service may have the product's name where its label adds a prefix.
  const exact = stated || found.some(({ exact }) => exact);
  // A component that only this detector accepts needs one of its ports.
  const lenient = !NEEDS_PORT.has(certainty) && exact && played.length === roles.length;
  const named = namedDetector(service, detector, rules);
  const port =
    choosePort(
      service,
      { ...detector, ports: named.ports, transport: named.transport },
      rules.vocabulary,
      lenient,
      !exact,
    ) ?? (named === detector ? undefined : choosePort(service, detector, rules.vocabulary, lenient, !exact));
  if (port === undefined) {
    const missingPort = certainty === 'annotation' || (service.ports.length === 0 && certainty !== 'hint');
    return service.ports.length === 0
      ? miss('the Service has no ports', true, missingPort)
      : { ...miss(`none of its ports is one of ${detector.title}'s`, true, missingPort), otherPorts: true };
  }
  return {
    matched: true,
    compiled,
    service,
    certainty,
    exact,
    length: best?.length ?? 0,
    port,
    rank: roles.length === 0 ? DEFAULT_RANK : Math.max(...roles.map(({ role }) => role.rank ?? 0)),
    roles: [...new Set(roles.map(({ role }) => role.name))].sort(),
    evidence: [
      ...evidence
        .filter(({ signal }) => signal !== 'hint' || certainty === 'hint')
        .sort((a, b) => rankOf(a) - rankOf(b)),
      { signal: 'port', detail: port.detail },
      ...[...new Set(roles.map(({ role, words }) => `"${words}": ${role.why}`))].map(
        (detail): Evidence => ({ signal: 'role', detail }),
      ),
    ],
  };
}

function rankOf(evidence: Evidence): number {
  return certaintyRank(evidence.signal as Certainty);
}

function byCertainty(a: Match, b: Match): number {
  return (
    b.compiled.options.priority - a.compiled.options.priority ||
    certaintyRank(a.certainty) - certaintyRank(b.certainty) ||
    Number(b.exact) - Number(a.exact) ||
    b.length - a.length ||
    a.compiled.order - b.compiled.order
  );
}

/**
 * The most certain and most specific of several matching detectors. If the owner annotates a Service without a type, the
 * next one determines the type.
 */
export function strongest(matches: readonly Match[]): Match | undefined {
  const [best, second] = [...matches].sort(byCertainty);
  const typeKey = best?.compiled.detector.fromAnnotations.type;
  if (best === undefined || second === undefined || typeKey === undefined) return best;
  if (Object.hasOwn(best.service.annotations, typeKey) || second.certainty === 'hint') return best;
  const own = best.evidence.filter(({ signal }) => signal === 'annotation');
  return {
    ...second,
    owner: best.compiled,
    certainty: best.certainty,
    evidence: [...own, ...second.evidence],
  };
}
