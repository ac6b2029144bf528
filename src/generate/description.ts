import type { Tool } from './tools.ts';

/** A tool's description: ours as it is, a tenant's marked as such, because an agent will read it. */
export function describe(tool: Tool): string {
  if (!tool.tenantDescription) return tool.description;
  return `In the words of the Service's owner: "${neutral(tool.description)}"`;
}

/**
 * A tenant's text without what means something to those who read it later: HolmesGPT renders `{{ }}` in its
 * configuration, and would put the value of an environment variable where a text names it.
 */
function neutral(text: string): string {
  return text.replaceAll('{', '(').replaceAll('}', ')').replaceAll('"', "'");
}
