import { createHash } from 'node:crypto';
import type { Verdict } from '../model/discovery.ts';

/**
 * What `approve` records of the tools that it showed, as `approvedTools` in overrides: `sha256:` and 32 hexadecimal digits.
 * Long enough that nobody finds two lists with one value. Undefined where the whole list is not known.
 */
export function toolsShown({
  tools,
  toolsTruncated,
}: Pick<Verdict, 'tools' | 'toolsTruncated'>): string | undefined {
  if (tools === undefined || toolsTruncated === true) return undefined;
  const lines = tools.map(({ name, readOnly, digest }) => JSON.stringify([name, readOnly, digest])).sort();
  return `sha256:${createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32)}`;
}
