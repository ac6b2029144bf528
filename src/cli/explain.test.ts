import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { explainCommand } from './explain.ts';

/** What `explain` says of the Service `d/a` in a manifest. */
async function explained(object: object): Promise<string> {
  let text = '';
  const result = { write: (written: string) => (text += written) };
  const run = {
    env: {},
    stdin: Readable.from([JSON.stringify(object)]),
    output: { result, messages: { write: () => true } },
    version: '0.0.0',
    signal: new AbortController().signal,
  };
  await explainCommand('d/a', { filename: ['-'], output: 'text' }, run);
  return text;
}

const service = (many: number): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'a',
    namespace: 'd',
    labels: Object.fromEntries(Array.from({ length: many }, (_, n) => [`k${n}`, 'v'])),
  },
  spec: { ports: Array.from({ length: many }, (_, n) => ({ name: `p${n}`, port: 20_000 + n })) },
});

test('explain says how many of very many ports and labels are considered', async () => {
  const text = await explained(service(500));
  expect(text).toContain('it has 500 ports, but only 64 are considered, first those that rules name');
  expect(text).toContain('it has 500 labels, but only 50 are considered');
});

test('explain does not mention it if all are considered', async () => {
  expect(await explained(service(10))).not.toContain('looked at');
});

test('a Service that does not exist is named once, with where it was looked for in manifests', async () => {
  await expect(explained({ ...service(1), metadata: { name: 'b', namespace: 'other' } })).rejects.toThrow(
    'there is no Service d/a in standard input; the namespace d has none',
  );
});
