import { detectorSchemaOf } from '../model/detector.ts';
import { HOLMESGPT, holmesMapping } from './holmesgpt/mapping.ts';

/** The schema of one detector file, with the mapping of each output. */
export const detectorSchema = detectorSchemaOf({ [HOLMESGPT]: holmesMapping });
