import { type HolmesSettings, holmesgpt } from './holmesgpt/output.ts';
import { outputsOf } from './outputs.ts';
import { toolsetJsonOutput } from './toolset-json/output.ts';

/** The settings that renderers need. */
export type OutputSettings = HolmesSettings;

/** All outputs that the program has. This is the only list of them. */
export const OUTPUTS = outputsOf<OutputSettings>([toolsetJsonOutput, holmesgpt]);
