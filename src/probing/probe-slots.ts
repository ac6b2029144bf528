import { fairSlots } from './fair-slots.ts';

/** When a probe without an answer hands its slot on, in milliseconds. From then on it costs a socket and no work. */
export const HAND_ON = 750;
/** Most probes that have handed their slot on, as a multiple of the slots. */
const LINGERING = 3;

/** Slots for probes, which those that get no answer neither keep nor fill. */
export interface ProbeSlots {
  /**
   * Runs a probe as soon as it has a slot.
   * @param group groups share the slots fairly
   * @param wasSilent it gave no answer the last time: these use half of the slots at most
   */
  run<T>(group: string, wasSilent: boolean, probe: () => Promise<T>): Promise<T>;
  /** Probes wait for slots, and none can be handed on. */
  readonly areShort: boolean;
}

/** @param concurrency how many slots there are */
export function probeSlots(concurrency: number): ProbeSlots {
  const slots = fairSlots(concurrency);
  const forSilent = fairSlots(Math.max(1, Math.floor(concurrency / 2)));
  const most = concurrency * LINGERING;
  let lingering = 0;

  /** Resolves when a probe is over, or when it has handed its slot on. */
  const held = (over: Promise<void>): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (lingering >= most) return;
        lingering++;
        void over.then(() => lingering--);
        resolve();
      }, HAND_ON);
      void over.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  return {
    run<T>(group: string, wasSilent: boolean, probe: () => Promise<T>): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const inSlot = (): Promise<void> => slots.run(group, () => held(probe().then(resolve, reject)));
      void (wasSilent ? forSilent.run(group, inSlot) : inSlot());
      return promise;
    },
    get areShort() {
      return lingering >= most && slots.waiting + forSilent.waiting > 0;
    },
  };
}
