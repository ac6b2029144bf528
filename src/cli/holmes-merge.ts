import { loadFaults } from '../generate/holmes-contract.ts';
import { type JoinOptions, joinDocuments, withoutListed } from '../generate/holmes-join.ts';
import { learnEdit } from '../generate/holmes-learn.ts';
import { holmesText } from '../generate/holmes-text.ts';
import { isFault } from '../generate/model-check.ts';
import { publishedHosts } from '../model/published-tools.ts';
import {
  type AgentConfigMap,
  type AgentMerge,
  type HolmesFile,
  mergeForAgent,
} from '../reconcile/agent-merge.ts';
import { TextThread, TooCostly } from './text-thread.ts';

/** What HolmesGPT's file is merged from. It is copied to the worker thread. */
export interface MergeQuestion {
  readonly kind: 'merge-for-agent';
  /** The generated `custom_toolset.yaml`. */
  readonly offered: string;
  readonly live: AgentConfigMap;
  /** The `toolset.json` that is published with it. */
  readonly toolset: string;
  readonly options: Pick<JoinOptions, 'holmesgptVersion' | 'namespace'>;
}

/** Most characters that are merged on the event loop: that takes some 20 ms. */
const SHORT = 16 * 1024;
/** Longest time for a merge, in milliseconds. The longest that fits takes about 4 s of a whole processor. */
const LONGEST = 20_000;
/** Most memory for a merge, in MiB. */
const HEAP = 128;

function holmesFile({ holmesgptVersion, namespace }: MergeQuestion['options']): HolmesFile {
  const join: JoinOptions = { holmesgptVersion, namespace, standsAlone: true };
  return {
    write: holmesText,
    join: (generated, person) => joinDocuments(generated, person, join),
    withoutListed: (generated, person, toolset) =>
      withoutListed(generated, person, { namespace, hosts: publishedHosts(toolset) }),
    learn: (patch, edit) => learnEdit(patch, edit, join),
    fault: (document: unknown): string | undefined => {
      const [first] = loadFaults(document).filter(isFault);
      return first === undefined ? undefined : `${first.path.join(' → ')} ${first.message}`.trim();
    },
  };
}

/** Merges, on whichever thread this is. */
export const mergeHere = ({ offered, live, toolset, options }: MergeQuestion): AgentMerge =>
  mergeForAgent(offered, live, holmesFile(options), toolset);

/** Merges what is generated with HolmesGPT's own ConfigMap, off the event loop where the texts are long. */
export function merger(
  options: MergeQuestion['options'],
  thread: Pick<TextThread, 'ask'> = new TextThread({ longest: LONGEST, heap: HEAP, idle: 0 }),
): (offered: string, live: AgentConfigMap, toolset?: string) => Promise<AgentMerge> {
  return async (offered, live, toolset = '') => {
    const question: MergeQuestion = { kind: 'merge-for-agent', offered, live, toolset, options };
    const texts = [offered, toolset, ...Object.values(live.data)];
    if (texts.reduce((sum, text) => sum + text.length, 0) <= SHORT) return mergeHere(question);
    try {
      return await thread.ask<AgentMerge>(question);
    } catch (error) {
      if (!(error instanceof TooCostly)) throw error;
      return {
        kind: 'refused',
        what: `it takes more than ${error.limit} to read, which is the most that it may`,
        fix: 'it is left as it is; make the texts in it shorter',
      };
    }
  };
}
