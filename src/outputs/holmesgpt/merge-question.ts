import { type PublishedTool, publishedHosts } from '../../model/published-tools.ts';
import { loadFaults } from './contract.ts';
import { type JoinOptions, joinDocuments, withoutListed } from './join.ts';
import { learnEdit } from './learn.ts';
import { type AgentConfigMap, type AgentMerge, type HolmesFile, mergeForAgent } from './merge.ts';
import { isFault } from './model-check.ts';
import { holmesText } from './text.ts';

/** What HolmesGPT's file is merged from. It is copied to the worker thread. */
export interface MergeQuestion {
  readonly kind: 'merge-for-agent';
  /** The generated `custom_toolset.yaml`. */
  readonly offered: string;
  readonly live: AgentConfigMap;
  /** The tools that are published with it. */
  readonly tools: readonly PublishedTool[];
  readonly options: Pick<JoinOptions, 'holmesgptVersion' | 'namespace'>;
}

function holmesFile({ options: { holmesgptVersion, namespace }, tools }: MergeQuestion): HolmesFile {
  const discovered = new Set(tools.map(({ endpoint }) => endpoint));
  const join: JoinOptions = { holmesgptVersion, namespace, standsAlone: true, discovered };
  return {
    write: holmesText,
    join: (generated, person) => joinDocuments(generated, person, join),
    withoutListed: (generated, person, published) =>
      withoutListed(generated, person, { namespace, hosts: publishedHosts(published) }),
    learn: (patch, edit) => learnEdit(patch, edit, join),
    fault: (document: unknown): string | undefined => {
      const [first] = loadFaults(document).filter(isFault);
      return first === undefined ? undefined : `${first.path.join(' → ')} ${first.message}`.trim();
    },
  };
}

/** Merges, on whichever thread this is. */
export const mergeHere = (question: MergeQuestion): AgentMerge =>
  mergeForAgent(question.offered, question.live, holmesFile(question), question.tools);
