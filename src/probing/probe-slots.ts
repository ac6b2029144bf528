import { createFairSlots } from '../model/fair-slots.ts';

/** Time after which a silent probe releases its slot, in milliseconds. It then costs only a socket. */
export const SLOT_RELEASE_MS = 750;
/** Maximum probes that continue without a slot, as a multiple of the slots. */
const MAX_LINGERING_FACTOR = 3;

/** Slots for probes. Silent backends cannot occupy all of them. */
export interface ProbeSlots {
  /**
   * Runs a probe as soon as it gets a slot.
   * @param group groups share the slots fairly
   * @param wasSilent whether the last probe got no response; such probes use at most half of the slots
   * @param isReceiving whether the probe has received data since the last call; it then keeps its slot
   */
  run<T>(group: string, wasSilent: boolean, probe: () => Promise<T>, isReceiving?: () => boolean): Promise<T>;
  /** Whether probes wait for slots, and no running probe may release its slot early. */
  readonly areShort: boolean;
}

/** @param concurrency number of slots */
export function createProbeSlots(concurrency: number): ProbeSlots {
  const slots = createFairSlots(concurrency);
  const forSilent = createFairSlots(Math.max(1, Math.floor(concurrency / 2)));
  const maxLingering = concurrency * MAX_LINGERING_FACTOR;
  let lingering = 0;

  /** Resolves when a probe has ended or released its slot. */
  const untilReleased = (over: Promise<void>, isReceiving: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const release = (): void => {
        if (isReceiving()) {
          timer = setTimeout(release, SLOT_RELEASE_MS);
          return;
        }
        if (lingering >= maxLingering) return;
        lingering++;
        void over.then(() => lingering--);
        resolve();
      };
      let timer = setTimeout(release, SLOT_RELEASE_MS);
      void over.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  return {
    run<T>(
      group: string,
      wasSilent: boolean,
      probe: () => Promise<T>,
      isReceiving: () => boolean = () => false,
    ): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const inSlot = (): Promise<void> =>
        slots.run(group, () => untilReleased(probe().then(resolve, reject), isReceiving));
      void (wasSilent ? forSilent.run(group, inSlot) : inSlot());
      return promise;
    },
    get areShort() {
      return lingering >= maxLingering && slots.waiting + forSilent.waiting > 0;
    },
  };
}
