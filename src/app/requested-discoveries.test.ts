import { expect, test } from 'vitest';
import type { DiscoverRequest } from '../server/api.ts';
import type { DiscoverResult } from '../server/jobs.ts';
import type { Cooldown } from './cooldown.ts';
import { RequestedDiscoveries } from './requested-discoveries.ts';

/** Discoveries that begin and end when the test says so, and what clients were told. */
function setting() {
  const turns: (() => void)[] = [];
  const runs: { readonly requests: readonly DiscoverRequest[]; readonly end: (error?: Error) => void }[] = [];
  const cooldown = { turn: () => new Promise<void>((resolve) => turns.push(resolve)) } as Cooldown;
  const told: string[] = [];
  const discoveries = new RequestedDiscoveries(
    (requests) =>
      new Promise((resolve, reject) =>
        runs.push({
          requests,
          end: (error) =>
            error === undefined
              ? resolve(
                  requests.map(
                    ({ namespaces: [name = ''] = [] }) => ({ asked: Number(name) }) as DiscoverResult,
                  ),
                )
              : reject(error),
        }),
      ),
    cooldown,
  );
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    runs,
    told,
    settle,
    add: (client: string, number = 0): void => {
      try {
        discoveries.add({ namespaces: [`${number}`] }, client).then(
          ({ asked }) => told.push(`${client} ${asked}`),
          ({ message }: Error) => told.push(`${client}: ${message}`),
        );
      } catch (error) {
        told.push(`${client}: ${(error as Error).message}`);
      }
    },
    turn: async (): Promise<void> => {
      for (const each of turns.splice(0)) each();
      await settle();
    },
  };
}

test('requests that wait begin together, and each gets its own result', async () => {
  const { add, turn, runs, told, settle } = setting();
  add('ann', 1);
  add('bob', 2);
  await turn();
  add('bob', 3);
  expect(runs.map(({ requests }) => requests.length)).toEqual([2]);
  runs[0]?.end();
  await settle();
  expect(told).toEqual(['ann 1', 'bob 2']);
  await turn();
  runs[1]?.end(new Error('away'));
  await settle();
  expect(told.slice(2)).toEqual(['bob: away']);
});

test('a client has four at a time, until they are complete', async () => {
  const { add, turn, runs, told, settle } = setting();
  for (let number = 0; number < 5; number++) add('ann', number);
  expect(told).toEqual(['ann: The discovery was not started: 4 of your client are not complete yet.']);
  await turn();
  add('ann');
  expect(told).toHaveLength(2);
  runs[0]?.end();
  await settle();
  add('ann');
  expect(told.slice(2)).toEqual(['ann 0', 'ann 1', 'ann 2', 'ann 3']);
});

test('of too many, those of the clients with the most make room for others', async () => {
  const { add, told, turn, runs, settle } = setting();
  for (let client = 0; client < 16; client++) for (let each = 0; each < 4; each++) add(`${client}`);
  for (let each = 0; each < 3; each++) add('fair');
  await settle();
  const dropped = 'too many discoveries were requested; try again';
  expect(told).toEqual([`15: ${dropped}`, `14: ${dropped}`, `13: ${dropped}`]);
  await turn();
  // Those that run stay.
  add('late');
  expect(told.at(-1)).toBe('late: The discovery was not started: 64 are not complete yet.');
  expect(runs.map(({ requests }) => requests.length)).toEqual([64]);
});
