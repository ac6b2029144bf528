import { mkdtemp, open, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type Intent, OVERRIDE_ERROR, plan } from '../../planning/plan.ts';
import { retryConflicts } from '../conflicts.ts';
import type { Publisher } from '../publisher.ts';
import { filePublisher } from './file-publisher.ts';

const target = { name: 'toolset', namespace: 'ns' };
const QUIET = { usual: 600, unfinished: 1_800 };
const { signal } = new AbortController();
let path: string;
let publisher: Publisher;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quiet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  path = join(folder, 'configmap.yaml');
  publisher = filePublisher(path, target, undefined, QUIET);
});

let count = 0;
/** Publishes another document, as `serve` does. @returns milliseconds that it took */
async function publish(more: Partial<Intent> = {}): Promise<number> {
  const start = performance.now();
  const documents = { 'toolset.json': `{"run": ${++count}}\n`, 'custom_toolset.yaml': 'toolsets: {}\n' };
  await retryConflicts(async () => {
    const planned = plan({ documents, tools: [], ...more }, await publisher.read(signal), '1');
    await publisher.apply(planned, new Date(0), signal);
  }, signal);
  return performance.now() - start;
}

const OVERRIDES = '  overrides.yaml: |\n    # first\n    # second\n';
/** The file with overrides of a person at its end. */
const withOverrides = async (): Promise<string> => `${await readFile(path, 'utf8')}${OVERRIDES}`;

test.each([
  ['within the overrides', '    # second', 400],
  ['before anything is written', 'apiVersion', 1_500],
  ['in the metadata', '  labels:', 1_500],
  ['within a document of ours', '"run"', 1_500],
])('an edit that pauses %s is kept', async (_, rest, pause) => {
  await publish();
  const text = await withOverrides();
  const at = text.indexOf(rest);
  const file = await open(path, 'w');
  await file.write(text.slice(0, at));
  const publishing = publish({ overrides: '# old' });
  await sleep(pause);
  await file.write(text.slice(at));
  await file.close();
  await publishing;
  const { data } = parse(await readFile(path, 'utf8')) as { data: Record<string, string> };
  expect(data['overrides.yaml']).toBe('# first\n# second\n');
  expect(data['toolset.json']).toContain(`${count}`);
});

test('our own text is replaced at once, that of others after a pause', async () => {
  await publish();
  expect(await publish()).toBeLessThan(QUIET.usual);
  await writeFile(path, await withOverrides());
  expect(await publish()).toBeGreaterThanOrEqual(QUIET.usual - 100);
  await writeFile(path, (await readFile(path, 'utf8')).replace('# first', '# other'));
  await utimes(path, 0, 0);
  expect(await publish()).toBeLessThan(QUIET.usual);
});

test('invalid overrides may be unfinished', async () => {
  await publish();
  await writeFile(path, await withOverrides());
  expect(await publish({ overrideError: 'line 1: wrong' })).toBeGreaterThanOrEqual(QUIET.unfinished - 100);
  expect((await publisher.read(signal))?.annotations).toHaveProperty([OVERRIDE_ERROR]);
});
