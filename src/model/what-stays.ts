/**
 * What is published while `overrides.yaml` is invalid, as a clause.
 * @param tools the number of published tools
 */
export const whatStays = (tools: number): string =>
  tools === 0 ? 'no tool is published until it is fixed' : 'the last toolset stays until it is fixed';
