import { setTimeout as sleep } from 'node:timers/promises';

/** What load shedding answers, and no route. */
const SHED = 'The server is overloaded';
/** Milliseconds until the next try, and how many there are: ten seconds in all. */
const PAUSE = 250;
const TRIES = 40;

/** The answer to a request, which a busy machine may shed for a moment. Any other 503 is the answer. */
export async function patiently<T extends { readonly statusCode: number; readonly body: string }>(
  ask: () => PromiseLike<T>,
): Promise<T> {
  let answer = await ask();
  // The answer to HEAD has no text.
  const isShed = (): boolean =>
    answer.statusCode === 503 && (answer.body === '' || answer.body.includes(SHED));
  for (let tries = 0; isShed() && tries < TRIES; tries++) {
    await sleep(PAUSE);
    answer = await ask();
  }
  return answer;
}
