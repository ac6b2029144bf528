import type { Tool } from './tools.ts';

/** The description of a tool. A tenant's text is marked as such, because an agent reads it. */
export function describe(tool: Tool): string {
  if (!tool.tenantDescription) return tool.description;
  return `In the words of the Service's owner: "${sanitizeForAgent(tool.description)}"`;
}

/**
 * Removes characters with a meaning from a tenant's text: HolmesGPT renders `{{ }}` in its configuration, so a text could
 * read environment variables, and a quotation mark could look like the end of the owner's text.
 */
function sanitizeForAgent(text: string): string {
  return text.replaceAll('{', '(').replaceAll('}', ')').replace(QUOTES, "'");
}

/** Quotation marks of all scripts, and primes, which look similar. */
const QUOTES =
  /[\p{Quotation_Mark}\u{2033}-\u{2037}\u{2057}\u{2ba}\u{2ee}\u{275b}-\u{2760}\u{1f676}-\u{1f678}]/gu;
