import type { Tool } from './tools.ts';

/** A tool's description: ours as it is, a tenant's marked as such, because an agent will read it. */
export function describe(tool: Tool): string {
  if (!tool.tenantDescription) return tool.description;
  return `In the words of the Service's owner: "${neutral(tool.description)}"`;
}

/**
 * A tenant's text without what means something to those who read it later: HolmesGPT renders `{{ }}` in its
 * configuration, and would put the value of an environment variable where a text names it; and a quotation mark of any
 * kind could look like the end of the owner's words.
 */
function neutral(text: string): string {
  return text.replaceAll('{', '(').replaceAll('}', ')').replace(QUOTES, "'");
}

/** Quotation marks of all scripts, and the primes that look like them. */
const QUOTES =
  /[\p{Quotation_Mark}\u{2033}-\u{2037}\u{2057}\u{2ba}\u{2ee}\u{275b}-\u{2760}\u{1f676}-\u{1f678}]/gu;
