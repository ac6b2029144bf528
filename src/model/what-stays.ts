import { OVERRIDES_KEY } from './documents.ts';

/**
 * What is published while `overrides.yaml` is invalid, as a clause.
 * @param tools the number of published tools
 */
export const whatStays = (tools: number): string =>
  tools === 0 ? 'no tool is published until it is fixed' : 'the last toolset stays until it is fixed';

/** Why a command fails with invalid overrides. @param tools the number of published tools */
export const unusableOverrides = (target: string, faults: string, tools: number): string =>
  `${OVERRIDES_KEY} of ${target} cannot be used: ${faults}; ${whatStays(tools)}`;
