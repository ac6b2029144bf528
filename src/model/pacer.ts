import { createFairSlots } from './fair-slots.ts';

/** Work above this time is expensive, in milliseconds. Verifying a usual chain of certificates takes less than 2 ms. */
const EXPENSIVE_MS = 10;
/** A group pauses this many times as long as its expensive work took, so it uses a fifth of a core at most. */
const PAUSE_FACTOR = 4;

/** Runs a piece of synchronous work of a group, as soon as it is the group's turn. */
export type Pacer = (group: string, work: () => void) => Promise<void>;

interface Clock {
  /** Returns the time in milliseconds. */
  readonly now: () => number;
  /** Waits this many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
}

interface PacerOptions extends Clock {
  /** Whether the promises that a piece settles are part of it, until what they resume has come to a halt. */
  readonly withResumed?: boolean;
}

/** The time of this process. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  pause: (milliseconds) => new Promise((end) => setTimeout(end, milliseconds).unref()),
};

/**
 * Paces work whose cost a server chooses, such as the verification of its certificates: one piece per turn of the event loop.
 * Groups take turns, and one whose work is expensive pauses after each piece, which delays no other.
 */
export function createPacer({ now, pause, withResumed = false }: PacerOptions = CLOCK): Pacer {
  const slots = createFairSlots(1);
  /** The last piece of each group, with the pause after it. */
  const last = new Map<string, Promise<void>>();
  const run = async (group: string, work: () => void): Promise<number> =>
    slots.run(group, async () => {
      const begun = now();
      work();
      // Ticks run once no more promises are due.
      if (withResumed) await new Promise<void>((halted) => process.nextTick(halted));
      const spent = now() - begun;
      await new Promise((nextTurn) => setImmediate(nextTurn));
      return spent;
    });
  return async (group, work) => {
    const done = (last.get(group) ?? Promise.resolve()).then(() => run(group, work));
    const paused = done.then(
      (spent) => (spent < EXPENSIVE_MS ? undefined : pause(PAUSE_FACTOR * spent)),
      () => undefined,
    );
    last.set(group, paused);
    void paused.then(() => {
      if (last.get(group) === paused) last.delete(group);
    });
    await done;
  };
}
