import { builtInDetectors } from '../config/detector-files.ts';
import { makeRules } from '../detection/make-rules.ts';
import type { Rules } from '../detection/rules.ts';
import type { Problem } from '../model/discovery.ts';
import type { Overrides } from '../model/overrides.ts';
import { SMALL } from '../model/yaml-document.ts';
import { type Faults, faultLines, readYaml } from '../model/yaml-text.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { InputError } from './input-error.ts';
import type { Options } from './options.ts';

/** Rules, and problems with detectors that were skipped. */
interface RulesResult {
  readonly rules: Rules;
  readonly problems: readonly Problem[];
}

function brokenText(input: string, broken: Faults): InputError {
  const lines = faultLines(broken, ({ line, column, message }) => `${input}:${line}:${column}: ${message}`);
  const faults = broken.faults.map(({ line, column, message }) => ({ line, column, message }));
  return new InputError(lines.join('\n'), input, faults);
}

/** Parses the overrides. @throws InputError that lists each fault with line and column */
export function overridesOf({ overrides }: Pick<Options, 'overrides'>): Overrides {
  const read = readOverrides(overrides);
  if ('value' in read) return read.value;
  throw brokenText('overrides', read);
}

let builtIn: RulesResult | undefined;

/**
 * The rules of the built-in detectors and the given ones.
 * @throws InputError that lists each fault with line and column
 */
export function rulesOf({ detectors }: Pick<Options, 'detectors'>): RulesResult {
  builtIn ??= makeRules(builtInDetectors());
  if (detectors.length === 0) return builtIn;
  const added = detectors.map((text, index) => {
    const name = `detectors[${index}]`;
    const read = readYaml(text, detectorSchema, { limits: SMALL });
    if ('faults' in read) throw brokenText(name, read);
    return { name, detector: read.value };
  });
  return makeRules(builtInDetectors(), { added, options: {}, disabled: [] });
}
