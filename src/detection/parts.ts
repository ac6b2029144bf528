import { partName } from '../model/part.ts';
import type { Service, ServicePort } from '../model/service.ts';
import { evaluate, type Match, strongest } from './evaluate.ts';
import { type Facts, identify } from './identity.ts';
import { matchService, quoteForDisplay } from './match.ts';
import { type Member, memberOf } from './member.ts';
import type { CompiledDetector, Rules } from './rules.ts';
import { wordsOf } from './words.ts';

/** Maximum parts per Service, in the order of its ports. */
const MAX_PARTS = 8;

const targetOf = ({ port, targetPort = port }: ServicePort): number | string => targetPort;

/** One port of a Service, as a Service of its own. */
const partOf = (service: Service, port: ServicePort): Service => ({
  ...service,
  name: partName(service, port.port),
  ports: [port],
});

/** The facts of a part: the name of its port is the only one that counts. */
export function factsOfPart(service: Service): Facts {
  const name = service.ports[0]?.name ?? '';
  const where = `port name ${quoteForDisplay(name)}`;
  return {
    service,
    mentions: [{ certainty: 'name', where, readings: [wordsOf(name)] }],
    nameWords: [],
    componentWords: [],
  };
}

/** Whether the name of the port names the product, as a word or by a signal. */
const namesProduct = (facts: Facts, compiled: CompiledDetector, rules: Rules): boolean =>
  identify(facts, compiled, rules).found.length > 0 ||
  compiled.signals.some(
    ({ certainty, match }) =>
      certainty !== 'hint' &&
      match.port?.name !== undefined &&
      matchService(facts.service, match) !== undefined,
  );

/** What the owner says with annotations is about the whole Service. */
function withoutWordOf({ fromAnnotations }: CompiledDetector['detector'], part: Service): Service {
  const keys = new Set(Object.values(fromAnnotations).flat());
  const kept = Object.entries(part.annotations).filter(([key]) => !keys.has(key));
  return { ...part, annotations: Object.fromEntries(kept) };
}

/** The match of a part, if both the name and the number of its port are a product's. It is a hint: only a proof makes it count. */
function matchOf(
  facts: Facts,
  port: ServicePort,
  compiled: CompiledDetector,
  rules: Rules,
): Match | undefined {
  const { detector } = compiled;
  const { numbers } = detector.ports;
  const isNumbered = numbers.some((number) => number === port.port || number === port.targetPort);
  if (detector.mcp === true || !isNumbered || !namesProduct(facts, compiled, rules)) return undefined;
  const match = evaluate({ ...facts, service: withoutWordOf(detector, facts.service) }, compiled, rules);
  if (!match.matched) return undefined;
  const evidence = match.evidence.filter(({ signal }) => signal === 'port' || signal === 'role');
  const detail = `port name ${quoteForDisplay(port.name ?? '')}`;
  return { ...match, certainty: 'hint', evidence: [{ signal: 'hint', detail }, ...evidence] };
}

/**
 * The parts of a Service: its ports that are named after other products than the one that was found, one for each product.
 * A Service that its owner declares is one backend, and so is an ExternalName, since it has no ports of its own.
 * @param first what was found of the whole Service
 */
export function partsOf(first: Match, rules: Rules): readonly Member[] {
  const { service, certainty, compiled, port: own } = first;
  if (service.ports.length < 2 || certainty === 'annotation' || service.type === 'ExternalName') return [];
  const types = new Set([compiled.detector.type]);
  const ports = new Set([own.source.port]);
  const parts: Member[] = [];
  for (const port of service.ports) {
    if (parts.length === MAX_PARTS) break;
    if (port.name === undefined || ports.has(port.port)) continue;
    if (targetOf(port) === targetOf(own.source)) continue;
    const facts = factsOfPart(partOf(service, port));
    const match = strongest(rules.detectors.flatMap((each) => matchOf(facts, port, each, rules) ?? []));
    if (match === undefined || types.has(match.compiled.detector.type)) continue;
    types.add(match.compiled.detector.type);
    ports.add(port.port);
    parts.push(memberOf(match, rules));
  }
  return parts;
}
