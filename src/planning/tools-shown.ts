import { createHash } from 'node:crypto';
import type { Verdict } from '../model/discovery.ts';

/**
 * The digest of shown tools, which `approve` records as `approvedTools`: `sha256:` and 64 hexadecimal digits.
 * `undefined` if the list is incomplete.
 */
export function toolsShown({
  tools,
  toolsTruncated,
}: Pick<Verdict, 'tools' | 'toolsTruncated'>): string | undefined {
  if (tools === undefined || toolsTruncated === true) return undefined;
  const lines = tools.map(({ name, readOnly, digest }) => JSON.stringify([name, readOnly, digest])).sort();
  return `sha256:${createHash('sha256').update(lines.join('\n')).digest('hex')}`;
}
