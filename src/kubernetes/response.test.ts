import { expect, test } from 'vitest';
import { readStart } from './response.ts';

test('the start of a body that comes byte by byte is read up to the limit, or until it is enough', async () => {
  const text = Array.from({ length: 1_000 }, (_, index) => `${index}é`).join(' ');
  const bytes = Buffer.from(text);
  async function* body(): AsyncGenerator<Buffer> {
    for (let index = 0; index < bytes.length; index++) yield bytes.subarray(index, index + 1);
  }
  expect(await readStart(body(), bytes.length)).toBe(text);
  expect(await readStart(body(), 1_001)).toBe(bytes.toString('utf8', 0, 1_001));
  let left = 700;
  expect(await readStart(body(), bytes.length, () => --left === 0)).toBe(bytes.toString('utf8', 0, 700));
});
