import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface WaitOptions {
  /** How long to try, in milliseconds; 15 s unless given. */
  readonly limitMs?: number;
  /** Pause between two tries, in milliseconds; 100 unless given. */
  readonly everyMs?: number;
}

/** What a probe gives back to say "not yet". */
type NotYet = false | null | undefined;

/**
 * Calls `probe` until it gives something other than `false`, `null` or `undefined`, and resolves with that. A
 * probe that throws counts as not yet. `until` completes the sentence "waited until ...".
 *
 * Throws when the time is over, with what the probe gave or threw last.
 */
export async function waitUntil<T>(
  until: string,
  probe: () => T | NotYet | Promise<T | NotYet>,
  options: WaitOptions = {},
): Promise<T> {
  const limitMs = options.limitMs ?? 15_000;
  const deadline = Date.now() + limitMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const value = await probe();
      if (value !== false && value !== null && value !== undefined) return value;
      last = `the last try gave ${inspect(value)}`;
    } catch (error) {
      cause = error;
      last = `the last try failed: ${error instanceof Error ? error.message : inspect(error)}`;
    }
    if (Date.now() >= deadline) {
      throw new Error(`waited ${limitMs / 1000} s in vain until ${until}; ${last}`, { cause });
    }
    await sleep(options.everyMs ?? 100);
  }
}
