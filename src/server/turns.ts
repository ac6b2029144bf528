import { createFairSlots } from '../model/fair-slots.ts';

/**
 * Creates a function that waits until a piece of work may begin. Node.js reads all connections with data in one turn of the
 * event loop, so without a limit a flood from many connections delays everything else until all of it is handled. Groups
 * take turns: one with a single piece waits no longer than one piece of each other group, whatever they bring.
 * @param most pieces to begin in one turn of the event loop
 */
export function createTurns(most: number): (group: string) => Promise<void> {
  const slots = createFairSlots(most);
  return (group) =>
    new Promise((begin) => {
      void slots.run(group, async () => {
        begin();
        await new Promise((nextTurn) => setImmediate(nextTurn));
      });
    });
}
