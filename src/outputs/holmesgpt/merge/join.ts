import type { Problem } from '../../../model/discovery.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { own } from '../contract/models.ts';
import type { Hosts, JoinOptions } from './join-options.ts';
import { DUPLICATE, duplicateServers, isRule, joinServer, NO_SERVER, ownServer } from './join-server.ts';
import { joinToolset, ownToolset } from './join-toolset.ts';

/** A document, with notes for the operator. */
export interface Joined {
  readonly document: Mapping;
  /** By section and name of the entry. */
  readonly notes: readonly {
    readonly section: string;
    readonly name: string;
    readonly note: Omit<Problem, 'where'>;
  }[];
}

/**
 * The generated document without the discovered MCP servers that a hand-written entry already reaches: through any port and
 * path of the Service, its cluster IPs, or other Services of the same Pods.
 */
export function withoutDuplicates(
  generated: Mapping,
  handWritten: Mapping,
  { namespace, hosts }: { readonly namespace?: string | undefined; readonly hosts: Hosts },
): Joined {
  const { mcp_servers: ours, ...others } = generated;
  const { mcp_servers: theirs } = handWritten;
  const listed = isMapping(ours) && isMapping(theirs) ? duplicateServers(ours, theirs, namespace, hosts) : [];
  if (!isMapping(ours) || listed.length === 0) return { document: generated, notes: [] };
  const left = Object.entries(ours).filter(([name]) => !listed.includes(name));
  return {
    document: { ...others, ...(left.length === 0 ? {} : { mcp_servers: Object.fromEntries(left) }) },
    notes: listed.map((name) => ({ section: 'mcp_servers', name, note: DUPLICATE })),
  };
}

/**
 * Generated entries with a name that the hand-written text uses in the other section. Of two such entries HolmesGPT uses the
 * MCP server.
 */
function nameConflicts(
  document: Mapping,
  handWritten: Mapping,
): { readonly section: string; readonly name: string }[] {
  const [toolsets, servers] = [own(document, 'toolsets'), own(document, 'mcp_servers')];
  if (!isMapping(toolsets) || !isMapping(servers)) return [];
  const isTheirs = (section: string, name: string): boolean => {
    const entries = own(handWritten, section);
    return isMapping(entries) && Object.hasOwn(entries, name);
  };
  return Object.keys(servers)
    .filter((name) => Object.hasOwn(toolsets, name))
    .flatMap((name) => {
      if (isTheirs('mcp_servers', name))
        return isTheirs('toolsets', name) ? [] : [{ section: 'toolsets', name }];
      return [{ section: 'mcp_servers', name }];
    });
}

/** Joins an entry of a section. @param below the generated entry of that name, if there is one */
function joinEntry(
  section: string,
  name: string,
  below: unknown,
  entry: Mapping,
  options: JoinOptions,
): { readonly entry: unknown; readonly note?: Omit<Problem, 'where'> | undefined } {
  if (section === 'mcp_servers')
    return isMapping(below) ? joinServer(name, below, entry, options) : ownServer(name, entry);
  return isMapping(below)
    ? joinToolset(name, below, entry, options)
    : { entry: ownToolset(name, entry, options.holmesgptVersion) };
}

/**
 * Joins a hand-written document to the generated one. Hand-written entries win, and hand-written backends come first.
 * Options for one backend go to that backend only: HolmesGPT applies every field next to a list of instances to all of them,
 * including the backends of tenants.
 * @see https://holmesgpt.dev/data-sources/ for multiple instances
 */
export function joinDocuments(generated: Mapping, handWritten: Mapping, options: JoinOptions): Joined {
  const notes: Joined['notes'][number][] = [];
  const document: Record<string, unknown> = { ...generated };
  for (const [section, entries] of Object.entries(handWritten)) {
    const ours = own(generated, section) ?? {};
    if (!isMapping(entries) || !isMapping(ours)) {
      if (entries === null) delete document[section];
      else document[section] = entries;
      continue;
    }
    const result = new Map(Object.entries(ours));
    for (const name of section === 'mcp_servers'
      ? duplicateServers(ours, entries, options.namespace, options.hosts)
      : []) {
      result.delete(name);
      notes.push({ section, name, note: DUPLICATE });
    }
    for (const [name, entry] of Object.entries(entries)) {
      const below = own(ours, name);
      if (entry === null) result.delete(name);
      else if (!isMapping(entry)) result.set(name, entry);
      else if (!isMapping(below) && section === 'mcp_servers' && isRule(name, entry)) {
        if (entry.enabled !== false) notes.push({ section, name, note: NO_SERVER });
      } else {
        const joined = joinEntry(section, name, below, entry, options);
        result.set(name, joined.entry);
        if (joined.note !== undefined) notes.push({ section, name, note: joined.note });
      }
    }
    document[section] = Object.fromEntries(result);
  }
  for (const { section, name } of nameConflicts(document, handWritten)) {
    const { [name]: _, ...rest } = document[section] as Mapping;
    if (Object.keys(rest).length === 0) delete document[section];
    else document[section] = rest;
    const what = `is left out: HolmesGPT uses only one entry of that name, and yours is in ${section === 'toolsets' ? 'mcp_servers' : 'toolsets'}`;
    notes.push({ section, name, note: { what } });
  }
  return { document, notes };
}
