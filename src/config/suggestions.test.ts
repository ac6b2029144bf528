import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfigData } from './config-map.ts';
import { readConfigFile } from './file.ts';

const TYPES = () => ({ known: ['grafana'], isComplete: true });

/** The faults of a configuration file, as an error. */
async function read(content: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'suggestions-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'config.yaml');
  writeFileSync(path, content);
  throw new Error((await readConfigFile(path, TYPES)).faults.join('\n'));
}

test('a misspelt setting in a configuration file', async () => {
  await expect(read('namspaces: [a]\n')).rejects.toThrow(/:1:1: .*namspaces.*did you mean namespaces\?/);
  await expect(read('Namespaces: [a]\n')).rejects.toThrow(/did you mean namespaces\?/);
  await expect(read('nothing-like-this: 1\n')).rejects.toThrow(/^(?!.*did you mean)/);
});

test('a misspelt option of a detector there', async () => {
  await expect(read('detectors:\n  grafana:\n    enable: false\n')).rejects.toThrow(
    /:3:5: .*did you mean enabled\?/,
  );
});

test('a misspelt setting in the ConfigMap', () => {
  const faultOf = (data: Record<string, string>) => readConfigData(data, 'ConfigMap a/b', TYPES).faults[0];
  expect(faultOf({ 'discovery-intervall': '1m' })).toMatch(/did you mean discovery-interval\?/);
  expect(faultOf({ credential: '{}' })).toMatch(/did you mean credentials\?/);
});
