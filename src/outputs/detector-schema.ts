import { detectorSchemaOf } from '../model/detector.ts';
import { ALL_OUTPUTS } from './registry.ts';

/** The schema of one detector file, with the part of each output. */
export const detectorSchema = detectorSchemaOf(
  Object.fromEntries(
    ALL_OUTPUTS.flatMap(({ id, mapping }) => (mapping === undefined ? [] : [[id, mapping] as const])),
  ),
);
