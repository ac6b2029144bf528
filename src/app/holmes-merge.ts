import { publishedHosts, publishedTools } from '../model/published-tools.ts';
import { loadFaults } from '../outputs/holmesgpt/contract.ts';
import { type JoinOptions, joinDocuments, withoutListed } from '../outputs/holmesgpt/join.ts';
import { learnEdit } from '../outputs/holmesgpt/learn.ts';
import {
  type AgentConfigMap,
  type AgentMerge,
  type HolmesFile,
  mergeForAgent,
} from '../outputs/holmesgpt/merge.ts';
import { isFault } from '../outputs/holmesgpt/model-check.ts';
import { holmesText } from '../outputs/holmesgpt/text.ts';

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

function holmesFile({
  options: { holmesgptVersion, namespace },
  toolset: published,
}: MergeQuestion): HolmesFile {
  const discovered = new Set(publishedTools(published).map(({ endpoint }) => endpoint));
  const join: JoinOptions = { holmesgptVersion, namespace, standsAlone: true, discovered };
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
export const mergeHere = (question: MergeQuestion): AgentMerge =>
  mergeForAgent(question.offered, question.live, holmesFile(question), question.toolset);
