import type { Overrides } from '../model/overrides.ts';
import type { YamlLimits } from '../model/yaml-document.ts';
import { readPlacedYaml } from '../model/yaml-text.ts';
import { mistypedTypes } from '../planning/mistyped-types.ts';
import { asFaults, type ContentFaults, placed, type ValueFault } from './faults.ts';
import { overridesSchema } from './overrides-schema.ts';
import { ALL_OUTPUTS } from './registry.ts';

/** Types in overrides that are probably mistyped. The built-in types may not be all. */
const typeWarnings = (overrides: Overrides, types: readonly string[]): ValueFault[] =>
  mistypedTypes(overrides, types).map(({ key, what, fix }) => ({
    path: ['tools', key, 'type'],
    message: `${what}; ${fix} (ignore this if one of your own detectors has it)`,
    level: 'warning',
  }));

/** Overrides, and what outputs would refuse of their own parts, as far as those alone show it. */
function overridesFaults(text: string, limits: YamlLimits, types: readonly string[]): ContentFaults {
  const read = readPlacedYaml(text, overridesSchema, { limits });
  if ('faults' in read) return asFaults(read);
  const { parts } = read.value;
  const faults = ALL_OUTPUTS.flatMap(({ id, overrides }) =>
    (overrides?.faults?.(parts[id]) ?? []).map((each) => ({ ...each, path: [id, ...each.path] })),
  );
  return placed([...faults, ...typeWarnings(read.value, types)], read.placeOf);
}

/**
 * Checks an untrusted text. Never throws because of its content.
 * @param kind the id of an output, for its document; or `overrides`
 * @param types the built-in types; without them, those in overrides are not compared with them
 * @throws Error for a kind that there is not, which is a bug
 */
export function checkText(
  kind: string,
  text: string,
  limits: YamlLimits,
  types: readonly string[] = [],
): ContentFaults {
  if (kind === 'overrides') return overridesFaults(text, limits, types);
  const [type] = ALL_OUTPUTS.find(({ id }) => id === kind)?.documents ?? [];
  if (type === undefined) throw new Error(`there is no output ${kind}`);
  return type.check(text, limits);
}
