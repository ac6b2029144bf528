import { expect, test } from 'vitest';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import type { Cut, Documents } from '../model/documents.ts';
import { type ShardsCheck, ShardsRefused } from '../publishers/publisher.ts';
import { withinUsableShards } from './usable-shards.ts';

const { signal } = new AbortController();
const CUT = { limit: 'document_bytes' } as Cut;

/** Documents in so many parts, of which four are wanted. */
function within(shards: number) {
  const names = Array.from({ length: shards }, (_, index) => (index === 0 ? 'a' : `a#${index + 1}`));
  const documents: Documents = Object.fromEntries(names.map((name) => [name, '']));
  return { documents, cuts: shards < 4 ? [CUT] : [] };
}

/** @param usable the number of parts that can be written */
async function propose(usable: number, unread: readonly string[] = [], stubborn = false) {
  const checkShards = async (documents: Documents): Promise<ShardsCheck> => {
    const wanted = Object.keys(documents).length;
    return wanted > usable
      ? { refused: new ShardsRefused(usable, `part ${usable + 1} is not ours`), unread }
      : { unread };
  };
  const publisher = Object.assign(new MemoryPublisher(), { checkShards });
  const generation = { credentials: {}, holmesgptVersion: '0.45.0', maxShards: 4 } as never;
  const { proposal, notes } = await withinUsableShards(
    publisher,
    generation,
    ({ maxShards = 1 }) => within(stubborn ? 4 : maxShards),
    signal,
  );
  return { parts: Object.keys(proposal.documents).length, what: notes.map(({ what }) => what) };
}

test('without anything in the way, all parts are used', async () => {
  expect(await propose(4)).toEqual({ parts: 4, what: [] });
});

test('where nobody can check them, all parts are used', async () => {
  const generation = { credentials: {}, holmesgptVersion: '0.45.0', maxShards: 4 } as never;
  const all = await withinUsableShards(new MemoryPublisher(), generation, () => within(4), signal);
  expect([Object.keys(all.proposal.documents).length, all.notes]).toEqual([4, []]);
});

test('with fewer usable parts there are other documents, and a note as that of serve', async () => {
  expect(await propose(2)).toEqual({
    parts: 2,
    what: ['has room in 2 ConfigMaps only, and what does not fit is left out: part 3 is not ours'],
  });
});

test('documents that stay in more parts than are usable cannot be published', async () => {
  const { parts, what } = await propose(1, [], true);
  expect([parts, what]).toEqual([4, ['serve cannot publish this: part 2 is not ours']]);
});

test('a part that may not be read is named', async () => {
  const { parts, what } = await propose(4, ['ConfigMap ns/a-2']);
  expect([parts, what]).toEqual([4, [expect.stringContaining('may not be read')]]);
});
