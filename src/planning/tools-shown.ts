import { createHash } from 'node:crypto';
import type { McpTool, Verdict } from '../model/discovery.ts';

function digestOf(tools: readonly McpTool[]): string {
  const lines = tools.map(({ name, readOnly, digest }) => JSON.stringify([name, readOnly, digest])).sort();
  return `sha256:${createHash('sha256').update(lines.join('\n')).digest('hex')}`;
}

/** The digest of shown tools if none were shown. */
export const NO_TOOLS_SHOWN = digestOf([]);

/**
 * The digest of shown tools, which `approve` records as `approvedTools`: `sha256:` and 64 hexadecimal digits.
 * `undefined` if the list is incomplete.
 */
export const toolsShown = ({
  tools,
  toolsTruncated,
}: Pick<Verdict, 'tools' | 'toolsTruncated'>): string | undefined =>
  tools === undefined || toolsTruncated === true ? undefined : digestOf(tools);
