/**
 * The ids of all outputs that users can name in flags and in requests. The registry of outputs is not imported for them, because
 * help must start fast and `server` knows no outputs. `src/cli/choices.test.ts` compares this list with the registry.
 */
export const OUTPUT_IDS = ['holmesgpt', 'toolset-json'] as const;
