import { expect, test, vi } from 'vitest';
import type { Documents } from '../model/documents.ts';
import type { Revision } from '../model/revision.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { observeRevisions } from '../planning/observed.ts';
import { CompactRevisions } from './compact-revisions.ts';

const documents = (tool: string): Documents => ({
  'toolset.json': `${JSON.stringify({ tools: [{ name: tool, type: 'loki', endpoint: 'http://l:1' }] })}\n`,
  'custom_toolset.yaml': 'toolsets: {}\n',
});
const revision = (number: number, more: Partial<Revision> = {}): Revision => ({
  name: `r-${number}`,
  number,
  created: '2026-01-01T00:00:00Z',
  published: undefined,
  documents: documents(`tool-${number}`),
  overrides: undefined,
  rollback: undefined,
  ...more,
});

test('compressed revisions have the content of the original ones, in their order', async () => {
  const revisions = [
    revision(1),
    revision(2, {
      publishedBefore: 1,
      publishedUntil: '2026-01-02T00:00:00Z',
      overrides: 'tools: {}\n',
      rollback: { to: 1, from: 'sha256:a' },
    }),
    revision(3, { documents: { 'toolset.json': 'é "\u2028 \\ud800\n' } }),
  ];
  const compact = await new CompactRevisions(OUTPUTS).compact(revisions);
  expect(compact.map((each) => ({ ...each }))).toEqual(observeRevisions(revisions, OUTPUTS));
});

test('what changes of a revision with the same content is what it was compressed with last', async () => {
  const store = new CompactRevisions(OUTPUTS);
  await store.compact([revision(1), revision(2)]);
  const [first, second] = await store.compact([revision(2), { ...revision(1), name: 'r-1', number: 3 }]);
  expect([first?.number, second?.number]).toEqual([2, 3]);
  const toolOf = (each: typeof first): string | undefined => each?.toolset.tools[0]?.name;
  expect([toolOf(first), toolOf(second)]).toEqual(['tool-2', 'tool-1']);
});

test('a revision is not decompressed until its content is read, and then once', async () => {
  const read = vi.fn(OUTPUTS.read);
  const [only] = await new CompactRevisions({ ...OUTPUTS, read }).compact([revision(1)]);
  expect(only?.number).toBe(1);
  expect(read).not.toHaveBeenCalled();
  const first = only?.toolset;
  expect(only?.toolset).toBe(first);
  expect(only?.documents).toBe(only?.documents);
  expect(read).toHaveBeenCalledTimes(1);
});
