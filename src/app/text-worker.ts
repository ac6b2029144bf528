/** The program of `WorkerThread`: parses untrusted texts and generates documents, one task at a time. */
import { parentPort } from 'node:worker_threads';
import { SMALL } from '../model/yaml-document.ts';
import { checkText } from '../outputs/check-text.ts';
import { type MergeTask, runMerge } from '../outputs/holmesgpt/merge/merge-task.ts';
import { readOverrides } from '../outputs/read-overrides.ts';
import { type GenerateTask, generateInWorker } from './generate-in-worker.ts';

/** A task of the worker. `format` is the id of an output, or `overrides`. */
export type WorkerTask =
  | { readonly kind: 'check'; readonly format: string; readonly text: string }
  | { readonly kind: 'read-overrides'; readonly text: string }
  | GenerateTask
  | MergeTask;

function answer(task: Exclude<WorkerTask, GenerateTask>): unknown {
  if (task.kind === 'merge-for-agent') return runMerge(task);
  const { text } = task;
  return task.kind === 'read-overrides' ? readOverrides(text) : checkText(task.format, text, SMALL);
}

parentPort?.on('message', (task: WorkerTask) => {
  if (task.kind !== 'generate') return parentPort?.postMessage(answer(task));
  const bytes = generateInWorker(task);
  parentPort?.postMessage(bytes, [bytes.buffer]);
});
