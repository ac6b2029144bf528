import { createFairSlots } from '../model/fair-slots.ts';

/**
 * Maximum requests to begin in one turn of the event loop. Node.js reads all connections with data in one turn, so without a
 * limit a flood from many connections would delay everything else until all its requests are handled.
 */
const REQUESTS_PER_TURN = 8;

/**
 * Creates a function that waits until a request may begin. Clients take turns: one that sends a single request waits no longer
 * than one request of each other client, whatever they send.
 */
export function createTurns(most = REQUESTS_PER_TURN): (client: string) => Promise<void> {
  const slots = createFairSlots(most);
  return (client) =>
    new Promise((begin) => {
      void slots.run(client, async () => {
        begin();
        await new Promise((nextTurn) => setImmediate(nextTurn));
      });
    });
}
