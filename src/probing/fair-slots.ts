interface Group {
  readonly waiting: (() => void)[];
  running: number;
  /** When it was served last, as a number that counts up. */
  served: number;
}

/** Slots for work of which so much may go on at a time, shared fairly by groups. */
export interface FairSlots {
  /** Runs some work of a group as soon as it has a slot. */
  run<T>(group: string, work: () => Promise<T>): Promise<T>;
  /** How many wait for a slot. */
  readonly waiting: number;
}

/**
 * Each free slot goes to the group that has the fewest of those that wait, and of several to the one that has waited
 * longest. So groups that have work get the same number of slots each, whatever the number of their members, and slots
 * that the others do not need go to whoever can use them. Slots are given out once a turn of the event loop, when all that
 * comes together has come: who comes first has no advantage.
 * @param slots how many there are
 */
export function fairSlots(slots: number): FairSlots {
  const groups = new Map<string, Group>();
  let free = slots;
  let waiting = 0;
  let served = 0;
  let isPlanned = false;

  const next = (): Group | undefined => {
    let chosen: Group | undefined;
    for (const group of groups.values()) {
      if (group.waiting.length === 0) continue;
      const { running = Number.POSITIVE_INFINITY, served: before = 0 } = chosen ?? {};
      if (group.running < running || (group.running === running && group.served < before)) chosen = group;
    }
    return chosen;
  };
  const giveOut = (): void => {
    isPlanned = false;
    while (free > 0 && waiting > 0) {
      const group = next();
      if (group === undefined) return;
      free--;
      waiting--;
      group.running++;
      group.served = ++served;
      group.waiting.shift()?.();
    }
  };
  const plan = (): void => {
    if (!isPlanned) setImmediate(giveOut);
    isPlanned = true;
  };
  const enter = (name: string): Promise<Group> => {
    const group = groups.get(name) ?? { waiting: [], running: 0, served: 0 };
    groups.set(name, group);
    waiting++;
    plan();
    return new Promise((resolve) => group.waiting.push(() => resolve(group)));
  };
  const leave = (name: string, group: Group): void => {
    free++;
    group.running--;
    if (group.running === 0 && group.waiting.length === 0) groups.delete(name);
    plan();
  };
  return {
    async run(name, work) {
      const group = await enter(name);
      try {
        return await work();
      } finally {
        leave(name, group);
      }
    },
    get waiting() {
      return waiting;
    },
  };
}
