import * as z from 'zod';
import { builtInDetectors } from '../config/detector-files.ts';
import { roleFault } from '../detection/rules.ts';
import type { Detector } from '../model/detector.ts';
import { SMALL } from '../model/yaml-document.ts';
import { parseYaml } from '../model/yaml-text.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';
import { asFaults, type ContentFaults, placed, type ValueFault } from '../outputs/faults.ts';
import { ALL_OUTPUTS } from '../outputs/registry.ts';

/** A role that is not in the vocabulary. */
function roleFaults(detector: Detector): ValueFault[] {
  const message = roleFault(detector, builtInDetectors().vocabulary);
  return message === undefined ? [] : [{ path: [], message, level: 'fault' }];
}

/** Warnings of each output about its own part. @param keys the top-level keys of the file */
function warnings({ outputs }: Detector, keys: readonly string[]): ValueFault[] {
  return ALL_OUTPUTS.flatMap(({ id, mapping }) => {
    const given = outputs[id];
    if (given === undefined || mapping?.warnings === undefined) return [];
    const { formerKey = '' } = mapping;
    const above = keys.includes(formerKey) ? [formerKey] : ['outputs', id];
    return mapping
      .warnings(given)
      .map(({ path, message }): ValueFault => ({ path: [...above, ...path], message, level: 'warning' }));
  });
}

/** Finds all faults and warnings in a detector file. */
export function checkDetector(text: string): ContentFaults {
  const parsed = parseYaml(text, { limits: SMALL });
  if ('faults' in parsed) return asFaults(parsed);
  const read = parsed.check(detectorSchema);
  if (!('value' in read)) return asFaults(read);
  const content = parsed.check(z.record(z.string(), z.unknown()));
  const keys = 'value' in content ? Object.keys(content.value) : [];
  return placed([...roleFaults(read.value), ...warnings(read.value, keys)], read.placeOf);
}
