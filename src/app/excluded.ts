import { isSwitchedOff } from '../detection/judge.ts';
import type { Rules } from '../detection/rules.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { Excluded } from '../planning/removals.ts';

/** The namespace of the Service behind a tool. Overrides may show another one, but the host of the endpoint has it. */
function namespaceOf({ namespace = '', endpoint, metadata }: PublishedTool): string {
  const [service, own] = URL.canParse(endpoint) ? new URL(endpoint).hostname.split('.') : [];
  return own !== undefined && service === metadata.service ? own : namespace;
}

/**
 * The published tools that the configuration leaves out: those in namespaces that it does not name, and those whose
 * detector is switched off, for all namespaces or for theirs. An operator who changes the configuration expects them to be
 * removed at once, so the hold on mass removals does not apply.
 * @param namespaces the namespaces that are searched; `*` or no name at all stands for all
 */
export function excludedBy(rules: Rules, namespaces: readonly string[]): Excluded {
  const isSearched = ({ cluster }: PublishedTool, namespace: string): boolean =>
    cluster !== undefined ||
    namespaces.length === 0 ||
    namespaces.includes('*') ||
    namespaces.includes(namespace);
  return (tool) => {
    const namespace = namespaceOf(tool);
    const own = rules.byType.get(tool.type)?.signals ?? [];
    const isCustom =
      tool.metadata.certainty === 'annotation' && !own.some(({ certainty }) => certainty === 'annotation');
    const types = isCustom ? [tool.type, 'custom'] : [tool.type];
    return !isSearched(tool, namespace) || types.some((type) => isSwitchedOff(type, namespace, rules));
  };
}
