import type { Fault } from './types.ts';

/**
 * An option or a backend is broken. The message names each fault with its place.
 * @example
 * try {
 *   render(backends, { overrides });
 * } catch (error) {
 *   if (!(error instanceof InputError)) throw error;
 *   for (const { line, message } of error.faults) console.error(`${error.input}:${line}: ${message}`);
 * }
 */
export class InputError extends Error {
  override readonly name = 'InputError';
  /** What is broken, such as `overrides`, `detectors[0]` or `backends[3]`. */
  readonly input: string;
  /** The faults of a text, in its order; empty for an input that is no YAML text. */
  readonly faults: readonly Fault[];

  constructor(message: string, input: string, faults: readonly Fault[] = []) {
    super(message);
    this.input = input;
    this.faults = faults;
  }
}
