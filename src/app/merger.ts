import type { PublishedTool } from '../model/published-tools.ts';
import type { AgentConfigMap, AgentMerge } from '../outputs/holmesgpt/merge.ts';
import { type MergeQuestion, mergeHere } from '../outputs/holmesgpt/merge-question.ts';
import { TextThread, TooCostly } from './text-thread.ts';

/** Most characters that are merged on the event loop: that takes some 20 ms. */
const SHORT = 16 * 1024;
/** Characters that a published tool counts as. */
const TOOL = 300;
/** Longest time for a merge, in milliseconds. The longest that fits takes about 4 s of a whole processor. */
const LONGEST = 20_000;
/** Most memory for a merge, in MiB. */
const HEAP = 128;

/** Merges what is generated with HolmesGPT's own ConfigMap, off the event loop where the texts are long. */
export function merger(
  options: MergeQuestion['options'],
  thread: Pick<TextThread, 'ask'> = new TextThread({ longest: LONGEST, heap: HEAP, idle: 0 }),
): (offered: string, live: AgentConfigMap, tools?: readonly PublishedTool[]) => Promise<AgentMerge> {
  return async (offered, live, tools = []) => {
    const question: MergeQuestion = { kind: 'merge-for-agent', offered, live, tools, options };
    const texts = [offered, ...Object.values(live.data)];
    const size = texts.reduce((sum, text) => sum + text.length, tools.length * TOOL);
    if (size <= SHORT) return mergeHere(question);
    try {
      return await thread.ask<AgentMerge>(question);
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      return {
        kind: 'refused',
        what: `reading it takes more than the limit of ${error.limit}`,
        fix: 'it is left as it is; shorten its texts',
      };
    }
  };
}
