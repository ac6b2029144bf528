import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a few requests begin in each turn of the event loop, and all in the end', async () => {
  const wait = createTurns(4);
  let begun = 0;
  for (let n = 0; n < 100; n++) void wait(`client ${n}`).then(() => begun++);
  let most = 0;
  for (let last = 0; begun < 100; last = begun) {
    await turn();
    most = Math.max(most, begun - last);
  }
  // The turns of the test and those of the limiter overlap.
  expect(most).toBeLessThanOrEqual(8);
});

test('a client with one request waits for no more than one of each other client', async () => {
  const wait = createTurns(1);
  const order: string[] = [];
  for (let n = 0; n < 300; n++) void wait(`flood ${n % 3}`).then(() => order.push('flood'));
  await turn();
  await wait('kubelet').then(() => order.push('kubelet'));
  expect(order.indexOf('kubelet')).toBeLessThan(12);
});
