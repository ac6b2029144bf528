import { isDisabled } from '../detection/evaluate.ts';
import type { Rules } from '../detection/rules.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { Excluded } from '../planning/removals.ts';

/** The namespace of the Service behind a tool, from the host of its endpoint: overrides may set another namespace. */
function namespaceOf({ namespace = '', endpoint, metadata }: PublishedTool): string {
  const [service, own] = URL.canParse(endpoint) ? new URL(endpoint).hostname.split('.') : [];
  return own !== undefined && service === metadata.service ? own : namespace;
}

/**
 * Selects the published tools that the configuration excludes: tools in other namespaces, and tools of disabled
 * detectors. Such tools are removed at once, without the hold on mass removals, because an operator asked for it.
 * @param namespaces the searched namespaces; `*` or an empty list: all
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
    if (!isSearched(tool, namespace)) return 'its namespace is not watched';
    return types.some((type) => isDisabled(type, namespace, rules)) ? 'its detector is off there' : undefined;
  };
}
