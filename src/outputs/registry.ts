import { type HolmesSettings, holmesgpt } from './holmesgpt/output.ts';
import type { Output } from './output.ts';
import { outputsOf } from './outputs.ts';
import type { TargetType } from './target-type.ts';
import { toolsetJsonOutput } from './toolset-json/output.ts';

/** The settings that renderers need. */
export type OutputSettings = HolmesSettings;

/** The outputs of the home target: their documents are published together in the ConfigMap. */
export const OUTPUTS = outputsOf<OutputSettings>([toolsetJsonOutput, holmesgpt]);

/** Agents with a place of their own. Together with `OUTPUTS`, this is the list of agents; `OUTPUT_IDS` of the model repeats their ids. */
export const TARGET_TYPES: readonly TargetType<OutputSettings>[] = [];

/** All outputs that the program has. */
export const ALL_OUTPUTS: readonly Output<OutputSettings>[] = [
  ...OUTPUTS.all,
  ...TARGET_TYPES.flatMap(({ outputs }) => outputs.all),
];
