import type { HolmesTargetOptions } from '../outputs/holmesgpt/follow/publisher.ts';
import type { AgentMerge } from '../outputs/holmesgpt/merge/merge.ts';
import { type MergeTask, runMerge } from '../outputs/holmesgpt/merge/merge-task.ts';
import type { Remembered } from '../outputs/holmesgpt/merge/remembered.ts';
import { WorkerLimitError, WorkerThread } from './worker-thread.ts';

/** Maximum characters to merge on the event loop, which takes about 20 ms. */
const MAX_INLINE_CHARACTERS = 16 * 1024;
/** Characters that each published tool counts as. */
const CHARACTERS_PER_TOOL = 300;
/** Timeout of a merge, in milliseconds. The largest allowed input takes about 4 s of CPU time. */
const TIMEOUT = 20_000;
/** Memory limit of a merge, in MiB. */
const HEAP_MIB = 128;

/** The texts that are remembered. */
const textsIn = ({ known, former }: Remembered): readonly string[] => [
  ...Object.values(known ?? {}),
  ...(former === undefined ? [] : [former]),
];

/** Merges the generated file with HolmesGPT's own ConfigMap. Long texts are merged in a worker thread. */
export function createMerger(
  options: MergeTask['options'],
  thread: Pick<WorkerThread, 'run'> = new WorkerThread({ longest: TIMEOUT, heap: HEAP_MIB, idle: 0 }),
): HolmesTargetOptions['merge'] {
  return async (offered, live, tools = [], remembered = {}) => {
    const task: MergeTask = { kind: 'merge-for-agent', offered, live, tools, remembered, options };
    const texts = [offered, ...Object.values(live.data), ...textsIn(remembered)];
    const size = texts.reduce((sum, text) => sum + text.length, tools.length * CHARACTERS_PER_TOOL);
    if (size <= MAX_INLINE_CHARACTERS) return runMerge(task);
    try {
      return await thread.run<AgentMerge>(task);
    } catch (error) {
      if (!(error instanceof WorkerLimitError)) throw error;
      return {
        kind: 'refused',
        what: `reading it takes more than the limit of ${error.limit}`,
        fix: 'the file was not changed; shorten its texts',
      };
    }
  };
}
