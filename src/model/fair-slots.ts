/** There are too many waiting calls, and the group of this one has the most. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFull';
}

interface Waiting {
  readonly start: () => void;
  readonly reject: (error: QueueFullError) => void;
}

interface Group {
  readonly waiting: Waiting[];
  running: number;
  /** Sequence number of the last granted slot. */
  lastServed: number;
}

const comesBefore = (a: Group, b: Group): boolean =>
  a.running < b.running || (a.running === b.running && a.lastServed < b.lastServed);

/** A semaphore whose slots are shared fairly between groups. */
export interface FairSlots {
  /** Runs `work` as soon as its group gets a slot. @throws QueueFullError */
  run<T>(group: string, work: () => Promise<T>): Promise<T>;
  /** Number of queued calls. */
  readonly waiting: number;
  /** Number of groups with queued or running calls. */
  readonly groups: number;
}

/**
 * Each free slot goes to the waiting group with the fewest slots, or among several to the one that was served longest
 * ago. So all groups with work get equal shares, however much work they have, and unused shares go to the others. Slots
 * are granted once per turn of the event loop, so that the order of calls within a turn gives no advantage.
 * @param slots number of slots
 * @param longestQueue maximum number of waiting calls; above it, the last one of the group with the most is rejected
 */
export function createFairSlots(slots: number, longestQueue = Number.POSITIVE_INFINITY): FairSlots {
  const groups = new Map<string, Group>();
  let free = slots;
  let waiting = 0;
  let served = 0;
  let isScheduled = false;

  const next = (): Group | undefined => {
    let chosen: Group | undefined;
    for (const group of groups.values()) {
      if (group.waiting.length === 0) continue;
      if (chosen === undefined || comesBefore(group, chosen)) chosen = group;
    }
    return chosen;
  };
  const grantSlots = (): void => {
    isScheduled = false;
    for (let group = next(); free > 0 && group !== undefined; group = next()) {
      free--;
      waiting--;
      group.running++;
      group.lastServed = ++served;
      group.waiting.shift()?.start();
    }
  };
  const scheduleGrant = (): void => {
    if (!isScheduled) setImmediate(grantSlots);
    isScheduled = true;
  };
  const forget = (name: string, group: Group): void => {
    if (group.running === 0 && group.waiting.length === 0) groups.delete(name);
  };
  const acquire = (name: string): Promise<Group> => {
    const group = groups.get(name) ?? { waiting: [], running: 0, lastServed: 0 };
    groups.set(name, group);
    waiting++;
    scheduleGrant();
    const { promise, resolve, reject } = Promise.withResolvers<Group>();
    group.waiting.push({ start: () => resolve(group), reject });
    // Calls for which slots are free wait only until the end of this turn.
    if (waiting > longestQueue + free) shorten();
    return promise;
  };
  const shorten = (): void => {
    const [longest] = [...groups].sort(([, a], [, b]) => b.waiting.length - a.waiting.length);
    if (longest === undefined) return;
    const [name, group] = longest;
    group.waiting.pop()?.reject(new QueueFullError('too many calls wait'));
    waiting--;
    forget(name, group);
  };
  const release = (name: string, group: Group): void => {
    free++;
    group.running--;
    forget(name, group);
    scheduleGrant();
  };
  return {
    async run(name, work) {
      const group = await acquire(name);
      try {
        return await work();
      } finally {
        release(name, group);
      }
    },
    get waiting() {
      return waiting;
    },
    get groups() {
      return groups.size;
    },
  };
}
