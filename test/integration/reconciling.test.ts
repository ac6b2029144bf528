import { describe, expect, test } from 'vitest';
import { waitUntil } from '../cluster/cluster.ts';
import { startServe } from './serve-process.ts';
import { type ConfigMap, SELDOM, setting, toolNames } from './setting.ts';

/** Far below the interval of five minutes, and enough for a busy machine, in milliseconds. */
const SOON = 3_000;

const withoutTime = ({ metadata, data, binaryData }: ConfigMap) => {
  const { 'kubernaut.io/last-updated': _, ...annotations } = metadata.annotations;
  return { labels: metadata.labels, annotations, data, binaryData };
};

describe('external changes of the ConfigMap, with five minutes until the next full pass', () => {
  test.for<{ what: string; patch: unknown; line: string; says: string }>([
    {
      what: 'a document is edited',
      patch: { data: { 'toolset.json': '{"tools":[]}\n' } },
      line: 'somebody changed generated content',
      says: '+      "name": "prometheus.',
    },
    {
      what: 'a document is removed',
      patch: { data: { 'custom_toolset.yaml': null } },
      line: 'somebody changed generated content',
      says: '+  prometheus/metrics:',
    },
    {
      what: 'a document is moved to binaryData',
      patch: { data: { 'toolset.json': null }, binaryData: { 'toolset.json': 'AAAA' } },
      line: 'somebody changed generated content',
      says: '+      "name": "prometheus.',
    },
    {
      what: 'our label and our annotations go',
      patch: {
        metadata: {
          labels: { 'app.kubernetes.io/managed-by': 'Helm' },
          annotations: { 'kubernaut.io/content-hash': null, 'kubernaut.io/discovered-services': '99' },
        },
      },
      line: 'metadata of ',
      says: '',
    },
  ])(
    '$what is reverted and reported at once, and everything else stays byte for byte',
    async ({ patch, line, says }) => {
      const { cluster, path, env, read, still, prometheus } = await setting();
      await prometheus();
      const serve = startServe({ ...env, ...SELDOM });
      await serve.logged('toolset published');
      await cluster.admin.patch(path, {
        metadata: { labels: { team: 'sre' }, annotations: { note: 'hands off\r\n ' } },
        data: { 'overrides.yaml': '# mine\r\ntools: [  \n', 'notes.txt': ' \r\nmine too' },
      });
      await serve.logged('overrides.yaml cannot be used');
      await cluster.admin.patch(path, { data: { 'overrides.yaml': '# mine\r\ntools: {}   \r\n\r\n' } });
      await serve.logged('overrides.yaml is valid again');
      const before = await still();
      const told = serve.lines.length;

      await cluster.admin.patch(path, patch);
      const patched = performance.now();
      await waitUntil(
        'it is put right',
        async () => JSON.stringify(withoutTime(await read())) === JSON.stringify(withoutTime(before)),
        { everyMs: 20 },
      );
      expect(performance.now() - patched).toBeLessThan(SOON);
      const said = await waitUntil('it is told', () =>
        serve.lines.slice(told).find(({ message }) => message.includes(line)),
      );
      expect(String(said.diff ?? '')).toContain(says);
      expect(withoutTime(await read())).toEqual(withoutTime(before));

      await still();
    },
  );

  test('an added or deleted Service is published at once', async () => {
    const { env, read, prometheus, loki, removeService, watched } = await setting();
    await prometheus();
    const serve = startServe({ ...env, ...SELDOM });
    await serve.logged('toolset published');
    const began = performance.now();
    await loki();
    await waitUntil('both are tools', async () => toolNames(await read()).length === 2, { everyMs: 20 });
    await removeService('prometheus');
    await waitUntil('one is', async () => toolNames(await read()).join() === `loki.${watched}`, {
      everyMs: 20,
    });
    expect(performance.now() - began).toBeLessThan(2 * SOON);
  });
});
