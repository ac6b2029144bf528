import { leadsToHost, maybeSameServer, serverWords } from '../../../model/same-url.ts';
import type { ListedEntry } from './listed-entries.ts';

/** Whether two entries lead to the same MCP server, whatever their names are. */
function isSameServer(one: ListedEntry, other: ListedEntry): boolean {
  const leads = ({ url }: ListedEntry, { hosts }: ListedEntry): boolean =>
    url !== undefined && leadsToHost(url, hosts);
  const isSameUrl = one.url !== undefined && other.url !== undefined && maybeSameServer(one.url, other.url);
  const isSameProgram = one.program !== undefined && one.program === other.program;
  return isSameUrl || isSameProgram || leads(one, other) || leads(other, one);
}

/** Words for the index: the same servers have one in common. */
const wordsOf = ({ url, program, hosts }: ListedEntry): Iterable<string> => [
  ...serverWords(url, hosts),
  ...(program === undefined ? [] : [program]),
];

/** Indexes of entries by the words of their servers, because each entry is compared with all others. */
const indexes = new WeakMap<readonly ListedEntry[], ReadonlyMap<string, readonly ListedEntry[]>>();

function indexOf(entries: readonly ListedEntry[]): ReadonlyMap<string, readonly ListedEntry[]> {
  const index = indexes.get(entries) ?? indexed(entries);
  indexes.set(entries, index);
  return index;
}

function indexed(entries: readonly ListedEntry[]): ReadonlyMap<string, readonly ListedEntry[]> {
  const index = new Map<string, ListedEntry[]>();
  for (const entry of entries)
    for (const word of wordsOf(entry)) {
      const list = index.get(word);
      if (list === undefined) index.set(word, [entry]);
      else list.push(entry);
    }
  return index;
}

/** The entries that lead to the same MCP server as this one, whatever their names are. */
export function sameServers(entries: readonly ListedEntry[], entry: ListedEntry): readonly ListedEntry[] {
  const index = indexOf(entries);
  const near = [...wordsOf(entry)].flatMap((word) => index.get(word) ?? []);
  return [...new Set(near)].filter((each) => isSameServer(each, entry));
}
