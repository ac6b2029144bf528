import type { Matcher } from '../model/detector.ts';
import type { Interest } from '../model/interest.ts';
import type { ServicePort } from '../model/service.ts';
import { fitsExpectation, fitsPattern } from './match.ts';
import { SERVING_CERTIFICATE } from './port.ts';
import type { CompiledDetector, Rules } from './rules.ts';

function matchersOf({ detector, signals }: CompiledDetector): Matcher[] {
  return [
    ...signals.map(({ match }) => match),
    ...detector.exclude,
    ...detector.paths.flatMap(({ when }) => when ?? []),
  ];
}

/** Whether one of the detectors names a port. */
function portTest(detectors: readonly CompiledDetector[], matchers: readonly Matcher[]): Interest['port'] {
  const numbers = new Set(detectors.flatMap(({ detector }) => detector.ports.numbers));
  const names = [...new Set(detectors.flatMap(({ detector }) => detector.ports.names))];
  const protocols = [...new Set(detectors.flatMap(({ detector }) => detector.ports.appProtocols))];
  const wanted = matchers.flatMap(({ port }) => port ?? []);
  for (const { number } of wanted) if (number !== undefined) numbers.add(number);
  const isNamed = (text: unknown, patterns: readonly string[]): boolean =>
    typeof text === 'string' && patterns.some((pattern) => fitsPattern(text, pattern));
  return ({ port, name, targetPort, appProtocol }: ServicePort) =>
    numbers.has(port) ||
    (typeof targetPort === 'number' && numbers.has(targetPort)) ||
    isNamed(name, names) ||
    isNamed(targetPort, names) ||
    isNamed(appProtocol, protocols) ||
    wanted.some(
      (expected) =>
        (expected.name !== undefined && fitsExpectation(name, expected.name)) ||
        (expected.appProtocol !== undefined && fitsExpectation(appProtocol, expected.appProtocol)),
    );
}

/** Labels that later stages ask for. */
const ALWAYS = ['app.kubernetes.io/part-of'];

/** What rules look at in a Service: what they do not, need not be kept. */
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
