import type { Toolset } from '../../../model/documents.ts';
import { isMapping, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { addressedService, type Overrides } from '../../../model/overrides.ts';
import { publishedHosts } from '../../../model/published-tools.ts';
import { FILE } from '../merge/agent-file.ts';
import { patchIn } from '../overrides.ts';
import { programOf, serverUrl, serviceOfKey } from '../server-url.ts';
import { own, readMapping } from '../yaml.ts';

const SECTIONS = ['mcp_servers', 'toolsets'] as const;

/** An entry of a document or of overrides. */
export interface ListedEntry {
  readonly section: (typeof SECTIONS)[number];
  readonly name: string;
  /** `null` in overrides that remove the entry. */
  readonly fields: Mapping | null;
  /** Its URL, if it is an MCP server. */
  readonly url?: string | undefined;
  /** Its command, if it is an MCP server that HolmesGPT starts itself. */
  readonly program?: string | undefined;
  /** The hosts of the MCP server, as far as they are known. */
  readonly hosts: readonly string[];
}

type HostsOf = (name: string, fields: Mapping | null) => readonly string[];

/**
 * The entries of a document.
 * @param hostsOf the hosts of an MCP server
 */
export function entriesOf(document: unknown, hostsOf: HostsOf): readonly ListedEntry[] {
  return SECTIONS.flatMap((section) => {
    const entries = own(document, section);
    return Object.entries(mappingOf(entries)).flatMap(([name, fields]): ListedEntry[] => {
      if (fields !== null && !isMapping(fields)) return [];
      const isServer = section === 'mcp_servers' || own(fields, 'type') === 'mcp';
      if (!isServer) return [{ section, name, fields, hosts: [] }];
      const url = serverUrl(fields);
      const program = url === undefined ? programOf(fields) : undefined;
      return [{ section, name, fields, url, program, hosts: hostsOf(name, fields) }];
    });
  });
}

function readEntries({ documents, tools }: Toolset): readonly ListedEntry[] | undefined {
  const text = documents[FILE];
  const read = text === undefined ? undefined : readMapping(text);
  if (read === undefined || 'fault' in read) return undefined;
  const hosts = publishedHosts(tools);
  return entriesOf(read.value, (_, fields) => hosts.get(serverUrl(fields) ?? '') ?? []);
}

/** The entries of toolsets, because each revision is compared with all newer ones. */
const known = new WeakMap<Toolset, readonly ListedEntry[] | undefined>();

/** The entries of a published `custom_toolset.yaml`. `undefined` if there is none, or it cannot be read. */
export function readableEntries(toolset: Toolset): readonly ListedEntry[] | undefined {
  const entries = known.has(toolset) ? known.get(toolset) : readEntries(toolset);
  known.set(toolset, entries);
  return entries;
}

/** The same, where no file has no entries. */
export const entriesIn = (toolset: Toolset): readonly ListedEntry[] => readableEntries(toolset) ?? [];

/** The entries of overrides. Without an address, the key `NAMESPACE/SERVICE` names the Service. */
export const wantedEntries = (overrides: Overrides): readonly ListedEntry[] =>
  entriesOf(patchIn(overrides), (name, fields) => {
    const service = (serverUrl(fields) ?? programOf(fields)) === undefined ? serviceOfKey(name) : undefined;
    return service === undefined ? [] : [service];
  });

/** The Services that overrides switch off, and users' own tools in overrides, as entries. */
export function toolEntries({ tools }: Overrides): {
  readonly off: readonly ListedEntry[];
  readonly own: readonly ListedEntry[];
} {
  const entries = Object.entries(tools).map(([name, { enabled, endpoint: url }]) => {
    const { namespace, name: service } = addressedService(name) ?? {};
    const hosts = url === undefined && service !== undefined ? [`${service}.${namespace}.svc`] : [];
    return { enabled, entry: { section: 'mcp_servers', name, fields: {}, url, hosts } as const };
  });
  return {
    off: entries.flatMap(({ enabled, entry }) => (enabled === false ? [entry] : [])),
    own: entries.flatMap(({ enabled, entry }) =>
      enabled === false || entry.url === undefined ? [] : [entry],
    ),
  };
}
