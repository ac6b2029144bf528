import { expect, test } from 'vitest';
import { FILE, HAND_WRITTEN } from '../outputs/holmesgpt/merge/agent-file.ts';
import { runMerge } from '../outputs/holmesgpt/merge/merge-task.ts';
import { createMerger } from './merger.ts';
import { WorkerLimitError } from './worker-thread.ts';

const options = { holmesgptVersion: '0.32', namespace: 'holmes' } as const;
const GENERATED =
  'toolsets:\n  prometheus/metrics:\n    enabled: true\n    config:\n      prometheus_url: http://prometheus.monitoring.svc:9090\n';
const toolsets = (many: number): string =>
  `toolsets:\n${Array.from({ length: many }, (_, n) => `  mine-${n}: {enabled: true, description: d, tools: []}\n`).join('')}`;
const liveWith = (file: string) => ({ data: { [FILE]: file }, annotations: {} });

test('a long file is merged in a worker thread, with the same result', async () => {
  const live = liveWith(toolsets(600));
  const merged = await createMerger(options)(GENERATED, live);
  expect(merged).toEqual(runMerge({ kind: 'merge-for-agent', offered: GENERATED, live, tools: [], options }));
  expect(merged).toMatchObject({ kind: 'write', data: { [HAND_WRITTEN]: live.data[FILE] } });
});

test('a short file needs no worker thread', async () => {
  const ask = (): Promise<never> => Promise.reject(new Error('asked'));
  expect(await createMerger(options, { run: ask })(GENERATED, liveWith(toolsets(3)))).toMatchObject({
    kind: 'write',
  });
  await expect(createMerger(options, { run: ask })(GENERATED, liveWith(toolsets(600)))).rejects.toThrow(
    'asked',
  );
});

test('a file that is too costly stays unchanged, with the limit that it reached', async () => {
  const ask = (): Promise<never> => Promise.reject(new WorkerLimitError('20 s'));
  expect(await createMerger(options, { run: ask })(GENERATED, liveWith(toolsets(600)))).toEqual({
    kind: 'refused',
    what: 'reading it takes more than the limit of 20 s',
    fix: 'the file was not changed; shorten its texts',
  });
});
