import { expect, test } from 'vitest';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { OwnerRefused, ShardsRefused } from '../publishers/publisher.ts';
import { Refusals } from './refusals.ts';

const refusals = (maxShards?: number): Refusals =>
  new Refusals({
    publisher: new MemoryPublisher(),
    generation: {
      credentials: {},
      holmesgptVersion: '0.32',
      kinds: new Map(),
      ...(maxShards && { maxShards }),
    },
    owner: async () => undefined,
  });

test('documents are made for the room that an agent has, and again only if that changes', () => {
  const all = refusals(4);
  expect(all.generationWithin(undefined)).toBe(all.generation);
  const small = all.generationWithin(10);
  expect(small).toMatchObject({ maxAgentBytes: 10, maxShards: 4 });
  expect(all.generationWithin(10)).toBe(small);
  expect(all.generationWithin(20).maxAgentBytes).toBe(20);
  all.take(new ShardsRefused(2, 'not ours'));
  expect(all.generationWithin(20)).toMatchObject({ maxAgentBytes: 20, maxShards: 2 });
});

test('each refusal leads to another attempt once', () => {
  const all = refusals(4);
  expect([all.take(new OwnerRefused('no')), all.take(new OwnerRefused('no'))]).toEqual([true, false]);
  expect([all.take(new ShardsRefused(1, 'no')), all.take(new ShardsRefused(1, 'no'))]).toEqual([true, false]);
  expect(all.take(new Error('no'))).toBe(false);
});
