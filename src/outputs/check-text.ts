import type { YamlLimits } from '../model/yaml-document.ts';
import { readPlacedYaml } from '../model/yaml-text.ts';
import { asFaults, type ContentFaults, placed } from './faults.ts';
import { overridesSchema } from './overrides-schema.ts';
import { ALL_OUTPUTS } from './registry.ts';

/** Overrides, and what outputs would refuse of their own parts, as far as those alone show it. */
function overridesFaults(text: string, limits: YamlLimits): ContentFaults {
  const read = readPlacedYaml(text, overridesSchema, { limits });
  if ('faults' in read) return asFaults(read);
  const { parts } = read.value;
  const faults = ALL_OUTPUTS.flatMap(({ id, overrides }) =>
    (overrides?.faults?.(parts[id]) ?? []).map((each) => ({ ...each, path: [id, ...each.path] })),
  );
  return placed(faults, read.placeOf);
}

/**
 * Checks an untrusted text. Never throws because of its content.
 * @param kind the id of an output, for its document; or `overrides`
 * @throws Error for a kind that there is not, which is a bug
 */
export function checkText(kind: string, text: string, limits: YamlLimits): ContentFaults {
  if (kind === 'overrides') return overridesFaults(text, limits);
  const [type] = ALL_OUTPUTS.find(({ id }) => id === kind)?.documents ?? [];
  if (type === undefined) throw new Error(`there is no output ${kind}`);
  return type.check(text, limits);
}
