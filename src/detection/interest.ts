import type { Expectation, Matcher } from '../model/detector.ts';
import type { Interest } from '../model/interest.ts';
import type { ServicePort } from '../model/service.ts';
import { fitsPattern } from './match.ts';
import { SERVING_CERTIFICATE } from './port.ts';
import type { CompiledDetector, Rules } from './rules.ts';

function matchersOf({ detector, signals }: CompiledDetector): Matcher[] {
  return [
    ...signals.map(({ match }) => match),
    ...detector.exclude,
    ...detector.paths.flatMap(({ when }) => when ?? []),
  ];
}

/** Matches a text against many expectations. Those without a wildcard need a single lookup. */
function anyOf(expectations: readonly Expectation[]): (text: unknown) => boolean {
  if (expectations.includes(true)) return (text) => text !== undefined;
  const all = new Set(expectations.flat().filter((each) => each !== true));
  const patterns = [...all].filter((each) => each.includes('*'));
  return (text) =>
    typeof text === 'string' && (all.has(text) || patterns.some((pattern) => fitsPattern(text, pattern)));
}

/** Whether any detector names a port. It is fast, because a Service can have thousands of ports. */
function portTest(detectors: readonly CompiledDetector[], matchers: readonly Matcher[]): Interest['port'] {
  const numbers = new Set(detectors.flatMap(({ detector }) => detector.ports.numbers));
  const wanted = matchers.flatMap(({ port }) => port ?? []);
  for (const { number } of wanted) if (number !== undefined) numbers.add(number);
  const names = detectors.flatMap(({ detector }) => detector.ports.names);
  const isName = anyOf([...names, ...wanted.flatMap(({ name }) => name ?? [])]);
  const isTarget = anyOf(names);
  const isProtocol = anyOf([
    ...detectors.flatMap(({ detector }) => detector.ports.appProtocols),
    ...wanted.flatMap(({ appProtocol }) => appProtocol ?? []),
  ]);
  return ({ port, name, targetPort, appProtocol }: ServicePort) =>
    numbers.has(port) ||
    (typeof targetPort === 'number' && numbers.has(targetPort)) ||
    isName(name) ||
    isTarget(targetPort) ||
    isProtocol(appProtocol);
}

/** Labels that later stages need. */
const ALWAYS = ['app.kubernetes.io/part-of'];

/** The parts of a Service that rules use. All others can be dropped. */
export function interestOf({ detectors, vocabulary }: Rules): Interest {
  const matchers = [...vocabulary.optOut, ...detectors.flatMap(matchersOf)];
  const keysIn = (kind: 'labels' | 'selector' | 'annotations'): string[] =>
    matchers.flatMap((matcher) => Object.keys(matcher[kind] ?? {}));
  const identity = (kind: 'labels' | 'selector'): string[] =>
    vocabulary.identity.flatMap(({ from, key }) => (from === kind ? [key] : []));
  const annotations = new Set([
    ...keysIn('annotations'),
    ...detectors.flatMap(({ detector, options }) => [
      ...Object.values(detector.fromAnnotations).flat(),
      ...Object.keys(options.requiredAnnotations),
    ]),
  ]);
  return {
    labels: new Set([
      ...ALWAYS,
      ...keysIn('labels'),
      ...identity('labels'),
      ...vocabulary.component,
      ...vocabulary.instance,
    ]),
    selector: new Set([...keysIn('selector'), ...identity('selector')]),
    annotations: (key) => annotations.has(key) || SERVING_CERTIFICATE.test(key),
    port: portTest(detectors, matchers),
  };
}
