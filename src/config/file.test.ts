import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfigFile } from './file.ts';
import { readDetectors } from './user-detectors.ts';

const TYPES = () => ({ known: ['grafana'], isComplete: true });

/** A new folder with one file. */
function folderWith(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'config-file-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), content);
  return folder;
}

test.each([
  ['too long', 'x'.repeat(256 * 1024), 'longer than 256 KiB, the limit; shorten it'],
  [
    'too complex',
    `[${'a,'.repeat(60_000)}]`,
    'more than 100000 tokens (words, signs, line breaks), the limit; shorten it',
  ],
])('a file that is %s is refused with one line', async (_, text, message) => {
  const content = text.startsWith('[') ? text : `# ${text}\nnamespaces: [a]\n`;
  const config = folderWith('config.yaml', content);
  const { faults } = await readConfigFile(join(config, 'config.yaml'), TYPES);
  expect(faults).toEqual([expect.stringMatching(/config\.yaml:\d+:\d+: /)]);
  expect(faults[0]).toMatch(new RegExp(`${message.replace(/[()]/g, '\\$&')}$`));
  const { problems } = await readDetectors(folderWith('a.yaml', content));
  expect(problems.map(({ what }) => what)).toEqual([message]);
});

test('a setting is named with its line and column', async () => {
  const folder = folderWith('config.yaml', 'namespaces:\n  - a\nmaxBackends: "1.5"\n');
  const path = join(folder, 'config.yaml');
  const { origin } = await readConfigFile(path, TYPES);
  expect(origin('maxBackends')).toBe(`${path}:3:14: maxBackends`);
  expect(origin('namespaces')).toBe(`${path}:2:3: namespaces`);
});

test('the settings of a file with other faults are still read', async () => {
  const folder = folderWith('config.yaml', 'namespaces: [a]\nunknown: 1\n');
  const { faults, texts } = await readConfigFile(join(folder, 'config.yaml'), TYPES);
  expect(faults).toHaveLength(1);
  expect(texts.namespaces).toBe('a');
});
