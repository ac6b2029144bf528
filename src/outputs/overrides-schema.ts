import { overridesSchemaOf } from '../model/overrides.ts';
import { ALL_OUTPUTS } from './registry.ts';

/** The schema of `overrides.yaml`, with the part of each output. */
export const overridesSchema = overridesSchemaOf(
  Object.fromEntries(
    ALL_OUTPUTS.flatMap(({ id, overrides }) => (overrides === undefined ? [] : [[id, overrides] as const])),
  ),
);
