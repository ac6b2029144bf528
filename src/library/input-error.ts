import type { Fault } from './types.ts';

/**
 * An option, a backend or a list is invalid. The message lists each fault with its position. If code of the caller throws, such as a
 * getter or a generator, `cause` is what it throws.
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
  /** The invalid input, such as `overrides`, `detectors[0]` or `backends[3]`. */
  readonly input: string;
  /** The faults of a YAML text, in order of position. Empty for other inputs. */
  readonly faults: readonly Fault[];

  constructor(message: string, input: string, faults: readonly Fault[] = [], options?: ErrorOptions) {
    super(message, options);
    this.input = input;
    this.faults = faults;
  }
}
