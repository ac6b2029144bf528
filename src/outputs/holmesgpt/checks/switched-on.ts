import type { Toolset } from '../../../model/documents.ts';
import type { Overrides } from '../../../model/overrides.ts';
import { isDefault } from './count.ts';
import { entriesIn, type ListedEntry, toolEntries, wantedEntries } from './listed-entries.ts';
import { isSwitchedOff } from './restrictions.ts';
import { sameServers } from './same-servers.ts';

/** Whether an entry of overrides switches off or removes. */
const isForbidding = ({ fields }: ListedEntry): boolean => fields === null || isSwitchedOff(fields);

/**
 * The entries that HolmesGPT would use with the next documents, and that overrides switch off or remove: under their name,
 * under another one that leads to the same MCP server, or by HolmesGPT's default. The same applies to MCP servers of
 * Services that overrides switch off.
 */
export function switchedOn(next: Toolset, overrides: Overrides): readonly string[] {
  const wanted = wantedEntries(overrides);
  const forbidding = wanted.filter(isForbidding);
  const allowed = new Set(wanted.filter((each) => !isForbidding(each)).map(({ name }) => name));
  const there = entriesIn(next);
  const { off, own } = toolEntries(overrides);
  const leadsTo = (entries: readonly ListedEntry[], entry: ListedEntry): boolean =>
    sameServers(entries, entry).length > 0;
  const isForbidden = (entry: ListedEntry): boolean =>
    forbidding.some(({ name }) => name === entry.name) ||
    (!allowed.has(entry.name) &&
      (leadsTo(forbidding, entry) || (leadsTo(off, entry) && !leadsTo(own, entry))));
  const on = there.filter((entry) => !isSwitchedOff(entry.fields) && isForbidden(entry));
  const mentioned = new Set(there.map(({ name }) => name));
  // Without the entry, HolmesGPT's default counts.
  const byDefault = forbidding.filter(
    ({ section, name, fields }) =>
      section === 'toolsets' && fields !== null && isDefault(name) && !mentioned.has(name),
  );
  return [...new Set([...on, ...byDefault].map(({ name }) => name))];
}
