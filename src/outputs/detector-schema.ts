import { detectorSchemaOf } from '../model/detector.ts';
import { OUTPUTS } from './registry.ts';

/** The schema of one detector file, with the part of each output. */
export const detectorSchema = detectorSchemaOf(
  Object.fromEntries(
    OUTPUTS.all.flatMap(({ id, mapping }) => (mapping === undefined ? [] : [[id, mapping] as const])),
  ),
);
