import { endpointUrl, type Problem } from '../../../model/discovery.ts';
import type { Omission } from '../../../model/documents.ts';
import type { Mapping } from '../../../model/mapping.ts';
import { HOSTS } from '../../../model/published-tools.ts';
import { same } from '../../../model/same.ts';
import { namedInCredentials } from '../../../planning/credentials.ts';
import { type Naming, type Preference, preferred } from '../../../planning/preferred.ts';
import { discoveredTool, type Tool } from '../../../planning/tools.ts';
import { containsInDocument } from '../checks/contains.ts';
import { questionsOf } from '../checks/questions.ts';
import { type HolmesToolset, holmesSchema } from '../contract/schema.ts';
import { dropInvalidEntries, withPatch } from '../merge/patch.ts';
import type { HolmesPatch } from '../overrides.ts';
import { namedIn, unmatched, withoutBackends } from './backends.ts';
import { type HolmesOptions, NEWEST } from './document-options.ts';
import { DocumentReport } from './document-report.ts';
import { type Holders, holdersIn } from './holders.ts';
import { placeTools, type Server } from './placement.ts';
import { sharedToolNames } from './shared-tool-names.ts';
import { holmesText } from './text.ts';
import { clashing } from './tool-clashes.ts';
import { toolsetSources } from './toolset-sources.ts';

/** Toolsets of the agent's own cluster. They need no discovery, and keep the file from being empty. */
const ALWAYS: Readonly<Record<string, HolmesToolset>> = {
  'kubernetes/core': { enabled: true },
  'kubernetes/logs': { enabled: true },
};

/** The document that HolmesGPT loads, and how it was made. */
export interface HolmesDocument {
  readonly text: string;
  readonly document: Mapping;
  /** The tools of each toolset. */
  readonly uses: ReadonlyMap<string, readonly Tool[]>;
  readonly notes: readonly Problem[];
  /** The tools that are nowhere in the document, and why. */
  readonly omissions: readonly Omission[];
}

/**
 * `custom_toolset.yaml`, which HolmesGPT loads.
 * @param tools in the order of the document
 */
export function holmesDocument(tools: readonly Tool[], options: HolmesOptions = NEWEST): HolmesDocument {
  const { credentials, patch, namespaces = [], holmesgptVersion } = options;
  const report = new DocumentReport();
  const placement = placeTools(tools, options, report);
  const placed = new Map<string, readonly { readonly tool: Tool }[]>([
    ...placement.byToolset,
    ...placement.byHttpType,
  ]);
  const all = () => [...tools, ...(options.found ?? []).map(discoveredTool)];
  for (const problem of unmatched(patch, placed, all)) report.note(problem);
  const naming =
    (toolset: string) =>
    (tool: Tool): Naming => {
      const [a, b] = [namedIn(patch, toolset, tool), namedInCredentials(credentials, tool)];
      return a === 'service' ? a : (b ?? a);
    };
  const holders = holdersIn(options.publishedFile);
  const servers = usableServers(
    placement.servers,
    { namespaces, naming: naming('') },
    holders,
    patch,
    report,
  );
  const sources = toolsetSources(placement, options, naming, holders, report);
  const clean = dropInvalidEntries(
    {
      toolsets: {
        ...ALWAYS,
        ...Object.fromEntries([...sources].map(([name, { toolset }]) => [name, toolset])),
      },
      ...(servers.length === 0
        ? {}
        : { mcp_servers: Object.fromEntries(servers.map(({ tool, entry }) => [tool.key, entry])) }),
    },
    (name, faulty) => {
      const left = sources.get(name)?.without(faulty);
      if (left === undefined) sources.delete(name);
      else sources.set(name, left);
      return left?.toolset;
    },
  );
  const generated = holmesSchema.parse(clean.document);
  const used = new Set<Tool>();
  for (const [name, { tools: theirs }] of sources)
    for (const tool of theirs)
      if (Object.hasOwn(generated.toolsets, name)) used.add(tool);
      else if (!report.isOmitted(tool)) report.omit(tool, `HolmesGPT would reject the entry ${name}`);
  for (const { tool } of placement.servers)
    if (!report.isOmitted(tool) && !Object.hasOwn(generated.mcp_servers ?? {}, tool.key))
      report.omit(tool, 'HolmesGPT would reject its entry');
  const merged = withPatch(generated, withoutBackends(patch), {
    holmesgptVersion,
    standsAlone: false,
    hosts: new Map(
      placement.servers.map(
        ({ tool }) => [endpointUrl(tool.endpoint), (tool.metadata[HOSTS] ?? '').split(',')] as const,
      ),
    ),
  });
  const document = sorted(merged.document);
  for (const tool of withoutEntry(tools, generated, document)) {
    used.delete(tool);
    if (!report.isOmitted(tool)) report.omit(tool, OVERRIDDEN, 'overridden', OVERRIDDEN_FIX);
  }
  return {
    get text() {
      return holmesText(document);
    },
    document,
    uses: new Map(
      [...placed].map(([name, entries]) => [name, [...new Set(entries.map(({ tool }) => tool))]]),
    ),
    notes: [...report.notes, ...clean.notes, ...merged.notes],
    // A tool that one toolset leaves out may be in another one.
    omissions: report.omissionsOf(used),
  };
}

const OVERRIDDEN =
  'the part holmesgpt of overrides.yaml removes it, switches it off, or has other backends in its place';
const OVERRIDDEN_FIX = 'to have it there, change that part';

/** The tools that a document has, and that another one, in which overrides are merged, has not. */
function withoutEntry(tools: readonly Tool[], generated: Mapping, document: Mapping): readonly Tool[] {
  if (same(generated, document)) return [];
  const [isThere, isLeft] = [containsInDocument(generated), containsInDocument(document)];
  return tools.filter(({ endpoint, namespace, metadata, mappings }) => {
    const tool = {
      endpoint: endpointUrl(endpoint),
      metadata,
      ...(namespace === undefined ? {} : { namespace }),
    };
    return isThere(tool, mappings) && !isLeft(tool, mappings);
  });
}

/** The MCP servers of the document, without those that would take the names of others' tools. */
function usableServers(
  servers: readonly Server[],
  preference: Preference,
  holders: Holders,
  patch: HolmesPatch,
  report: DocumentReport,
): readonly Server[] {
  const { ranked, clashes } = ranking(servers, preference, holders, patch);
  const out = new Set<string>();
  for (const [key, why] of clashes) {
    const tool = ranked.find((each) => each.key === key);
    if (tool === undefined || tool.added === true) continue;
    out.add(key);
    report.leaveOut(tool, why);
  }
  const left = ranked.filter(({ key }) => !out.has(key));
  for (const { key, verdict } of left)
    for (const problem of questionsOf(key, verdict, patch).problems) report.note(problem);
  for (const problem of sharedToolNames(left)) report.note(problem);
  return servers.filter(({ tool }) => !out.has(tool.key));
}

/**
 * The MCP servers in the order of their claim to tool names, and those that would take the names of others. In case of a
 * clash, a published server keeps its names.
 */
function ranking(
  servers: readonly Server[],
  preference: Preference,
  holders: Holders,
  { mcp_servers = {} }: HolmesPatch,
): { readonly ranked: readonly Tool[]; readonly clashes: ReadonlyMap<string, string> } {
  const rankedBy = (by: Preference): Tool[] => preferred(servers, by).map(({ tool }) => tool);
  const ranked = rankedBy(preference);
  const clashes = clashing(ranked, Object.keys(mcp_servers));
  if (clashes.size === 0) return { ranked, clashes };
  const standing = rankedBy({ ...preference, holds: holders.server });
  return { ranked: standing, clashes: clashing(standing, Object.keys(mcp_servers)) };
}

/** Sorts the entries of each section by name. */
function sorted(document: Mapping): Mapping {
  return Object.fromEntries(
    Object.entries(document).map(([part, entries]) => [
      part,
      Object.fromEntries(Object.entries(entries as Mapping).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))),
    ]),
  );
}
