import { readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { inProcess } from '../api/in-process.ts';

const waited = { timeout: 30_000 };

test('a manual edit or removal of the published file is reverted without another change', async () => {
  const { out } = await inProcess();
  const textOf = (): Promise<string> => readFile(out, 'utf8').catch(() => '');
  const published = await textOf();
  expect(published).toContain('loki');
  const undone = () =>
    vi.waitFor(async () => expect(toolsIn(await textOf())).toBe(toolsIn(published)), waited);
  // Before the watch has seen it.
  await rm(out);
  await undone();
  await writeFile(out, published.replaceAll('loki', 'lost').replace('\ndata:\n', '\ndata:\n  note: mine\n'));
  await undone();
  expect(await textOf()).toContain('note: mine');
  await rm(out);
  await undone();
});

/** The text from the data on, without what others wrote. */
const toolsIn = (text: string): string => text.slice(text.indexOf('\ndata:')).replace('  note: mine\n', '');
