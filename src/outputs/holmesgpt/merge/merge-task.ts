import { type PublishedTool, publishedHosts } from '../../../model/published-tools.ts';
import { loadFaults } from '../contract/contract.ts';
import { isFault } from '../contract/model-check.ts';
import { holmesText } from '../render/text.ts';
import type { AgentConfigMap, HolmesFile } from './agent-file.ts';
import { joinDocuments, withoutDuplicates } from './join.ts';
import type { JoinOptions } from './join-options.ts';
import { learnEdit } from './learn.ts';
import { type AgentMerge, mergeForAgent } from './merge.ts';
import type { Remembered } from './remembered.ts';

/** The input of a merge. It is copied to the worker thread. */
export interface MergeTask {
  readonly kind: 'merge-for-agent';
  /** The generated `custom_toolset.yaml`. */
  readonly offered: string;
  readonly live: AgentConfigMap;
  /** The tools that are published with it. */
  readonly tools: readonly PublishedTool[];
  /** See `mergeForAgent`. */
  readonly remembered?: Remembered | undefined;
  readonly options: Pick<JoinOptions, 'holmesgptVersion' | 'namespace'>;
}

function holmesFile({ options: { holmesgptVersion, namespace }, tools }: MergeTask): HolmesFile {
  const discovered = new Set(tools.map(({ endpoint }) => endpoint));
  const join: JoinOptions = { holmesgptVersion, namespace, standsAlone: true, discovered };
  return {
    write: holmesText,
    join: (generated, handWritten) => joinDocuments(generated, handWritten, join),
    withoutDuplicates: (generated, handWritten, published) =>
      withoutDuplicates(generated, handWritten, { namespace, hosts: publishedHosts(published) }),
    learn: (patch, edit) => learnEdit(patch, edit, join),
    fault: (document: unknown): string | undefined => {
      const [first] = loadFaults(document).filter(isFault);
      return first === undefined ? undefined : `${first.path.join(' → ')} ${first.message}`.trim();
    },
  };
}

/** Runs a merge on the current thread. */
export const runMerge = (question: MergeTask): AgentMerge =>
  mergeForAgent(question.offered, question.live, holmesFile(question), question.tools, question.remembered);
