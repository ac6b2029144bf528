import type { Detector, DetectorSet } from '../model/detector.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import type { Problem } from '../model/discovery.ts';
import { suggestOrList } from '../model/nearest.ts';
import { compileRules, type Rules, roleFault } from './rules.ts';

/** Custom detectors and options. */
export interface Customisation {
  /** Custom detectors, in order of their files. One with a built-in type replaces the built-in detector. */
  readonly added: readonly { readonly name: string; readonly detector: Detector }[];
  readonly options: DetectorsOptions;
  /** Disabled types, which may be unknown. */
  readonly disabled: readonly string[];
}

const NONE: Customisation = { added: [], options: {}, disabled: [] };

/**
 * Builds rules from the built-in detectors, custom detectors and options.
 * @returns the rules, and problems with custom detectors, which are skipped
 * @throws Error if a built-in detector uses an unknown role
 */
export function makeRules(
  { vocabulary, detectors: own }: DetectorSet,
  custom: Customisation = NONE,
): { readonly rules: Rules; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const detectors = new Map(own.map((detector) => [detector.type, detector]));
  const from = new Map<string, string>();
  for (const { name, detector } of custom.added) {
    const fault = roleFault(detector, vocabulary);
    const earlier = from.get(detector.type);
    if (fault !== undefined) problems.push({ where: name, what: fault, fix: 'the detector is skipped' });
    else if (earlier !== undefined)
      problems.push({
        where: name,
        what: `${earlier} has a detector of the type ${detector.type} too`,
        fix: 'the detector is skipped; give it another type',
      });
    else {
      from.set(detector.type, name);
      detectors.set(detector.type, detector);
    }
  }
  for (const type of Object.keys(custom.options))
    if (!detectors.has(type))
      problems.push({
        where: `detectors.${type}`,
        what: `there is no detector of this type${suggestOrList(type, [...detectors.keys()].sort(), 'there are')}`,
      });
  const known = [...detectors.keys()].sort();
  for (const type of custom.disabled)
    if (!detectors.has(type))
      problems.push({
        where: `ENABLE_${type.toUpperCase()}`,
        what: `there is no detector of this type${suggestOrList(type, known, 'there are')}`,
        fix: 'ignore this if the variable is for another program',
      });
  const switchedOff = Object.keys(custom.options).filter((type) => custom.options[type]?.enabled === false);
  const disabled = new Set([...custom.disabled, ...switchedOff]);
  return { rules: compileRules([...detectors.values()], vocabulary, custom.options, disabled), problems };
}
