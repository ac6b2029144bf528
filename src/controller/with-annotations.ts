import { publishedNames } from '../detection/names.ts';
import { countOf } from '../model/count-of.ts';
import type { Problem } from '../model/discovery.ts';
import type { Cut, LimitName } from '../model/documents.ts';
import { toolKey } from '../model/service.ts';
import { groupsNote } from '../planning/backend-groups.ts';
import type { Decision } from '../planning/decide.ts';
import type { NamespacedNote } from '../planning/namespaced-note.ts';
import type { Observed } from '../planning/observed.ts';
import { BACKEND_GROUPS, PUBLISHED_TOOLS, SERVICES_IN_USE } from '../planning/plan.ts';
import { toolsNote } from '../planning/remembered-tools.ts';
import { inUseNote, publishedInUse, storedNames } from '../planning/services-in-use.ts';
import type { ReconcileInput } from './assess.ts';
import { namesToPublish } from './kept-names.ts';
import { servicesInUseOf } from './published-use.ts';
import type { Target } from './target.ts';

/** The limits beyond which a tool is not published at all. */
const UNPUBLISHED: ReadonlySet<LimitName> = new Set(['namespace_tools', 'document_bytes']);

/** What the annotations depend on, besides the decision and the results of discovery. */
export interface AnnotationContext extends Pick<Target, 'publisher' | 'outputs' | 'searched'> {
  readonly cuts: readonly Cut[];
  readonly live: Observed | undefined;
}

/**
 * Adds annotations to a decision: the groups of backends, for their ids, the Services in use, and the tools if documents
 * cannot be read back. The notes say what had no room. Pure, except for the clock.
 */
export function withAnnotations(
  { intent, ...decision }: Decision,
  { groups, use, found: services }: ReconcileInput,
  { publisher, outputs, searched = '', cuts, live }: AnnotationContext,
): { readonly decision: Decision; readonly notes: readonly Problem[] } {
  const { tools } = intent;
  const notes: Problem[] = [];
  // What a limit left out has no precedence after a restart.
  const left = new Set(cuts.flatMap(({ limit, key }) => (UNPUBLISHED.has(limit) ? key : [])));
  const note = (annotation: string, { text, omitted }: NamespacedNote, consequence: string): string => {
    for (const [namespace, count] of omitted)
      notes.push({
        where: publisher.target,
        what: `the annotation ${annotation} has no room for ${countOf(count, 'backend')} of namespace ${namespace}: their tools are published, and ${consequence}`,
      });
    return text;
  };
  const backendGroups =
    groups && note(BACKEND_GROUPS, groupsNote(groups, tools), 'their ids may change at a restart');
  const readable = outputs.readsBack ? tools : [];
  const known = live?.annotations[SERVICES_IN_USE];
  const servicesInUse =
    use &&
    note(
      SERVICES_IN_USE,
      inUseNote(
        servicesInUseOf(use, services, publishedInUse([], known)).filter(
          ({ service }) => !left.has(toolKey(service)),
        ),
        readable,
        namesToPublish(use.keptNames ?? new Map(), publishedNames(readable), storedNames(known)),
      ),
      'after a restart, others may take the place of those that are unhealthy now',
    );
  const publishedTools = outputs.readsBack
    ? ''
    : note(PUBLISHED_TOOLS, toolsNote(tools), 'their removal is not held');
  return {
    decision: { ...decision, intent: { ...intent, backendGroups, publishedTools, servicesInUse, searched } },
    notes,
  };
}
