import type { Problem } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import type { Service } from '../model/service.ts';
import { matchService } from './match.ts';
import type { CompiledDetector, Rules } from './rules.ts';

/** The annotation with which owners offer their Services, for detectors that want one and nothing else. */
function offerOf({ signals }: CompiledDetector): string | undefined {
  const [signal, ...others] = signals;
  if (signal === undefined || others.length > 0 || signal.certainty !== 'annotation') return undefined;
  const [[key, value] = [], ...more] = Object.entries(signal.match.annotations ?? {});
  const [word] = [value].flat();
  return key === undefined || more.length > 0 || typeof word !== 'string' ? undefined : `${key}: "${word}"`;
}

function ignoredBy(service: Service, compiled: CompiledDetector): Problem | undefined {
  const offer = offerOf(compiled);
  const said = Object.values(compiled.detector.fromAnnotations)
    .flat()
    .filter((key) => key !== undefined && Object.hasOwn(service.annotations, key));
  if (offer === undefined || said.length === 0) return undefined;
  if (compiled.signals.some(({ match }) => matchService(service, match) !== undefined)) return undefined;
  const isOne = said.length === 1;
  return {
    where: `Service ${displayKey(service)}`,
    what: `${isOne ? 'annotation' : 'annotations'} ${said.join(', ')} ${isOne ? 'is' : 'are'} ignored: ${isOne ? 'it counts' : 'they count'} only together with the annotation ${offer}`,
    fix: `add that one, or remove ${isOne ? 'this one' : 'these'}`,
  };
}

/** Annotations of a Service that have no effect, because its owner does not offer it. */
export const ignoredAnnotations = (service: Service, { detectors }: Rules): Problem[] =>
  detectors.flatMap((compiled) => ignoredBy(service, compiled) ?? []);
