import type { Credentials } from '../../model/credentials.ts';
import { type DiscoveredService, endpointUrl, type Problem } from '../../model/discovery.ts';
import type { Omission } from '../../model/documents.ts';
import type { Mapping } from '../../model/mapping.ts';
import { HOSTS } from '../../model/published-tools.ts';
import { certificateProblem } from '../../planning/conditions/trusted.ts';
import { credentialOf, isHome, namedInCredentials } from '../../planning/credentials.ts';
import { describe } from '../../planning/description.ts';
import { type Naming, type Preference, preferred } from '../../planning/preferred.ts';
import { discoveredTool, type Tool } from '../../planning/tools.ts';
import { keepsAgentToken, WITH_AGENT_TOKEN, withoutAgentToken } from './agent-token.ts';
import { approvalRequired } from './approval.ts';
import { type BackendFields, backendFields, checkedFields, perTenant } from './backend-fields.ts';
import { listsBackend, namedIn, unmatched, withoutBackends } from './backends.ts';
import {
  builtInToolset,
  type Entry,
  httpToolset,
  isUnconfigured,
  type Kind,
  single as singleToolset,
  type Toolsets,
} from './entries.ts';
import { type Holders, holdersIn } from './holders.ts';
import { entryOf } from './mapping.ts';
import { HOLMES, own } from './models.ts';
import type { HolmesPatch } from './overrides.ts';
import { dropInvalidEntries, withPatch } from './patch.ts';
import { questionsOf } from './questions.ts';
import { type HolmesMcpServer, type HolmesToolset, holmesSchema } from './schema.ts';
import { sharedToolNames } from './shared-tool-names.ts';
import { holmesText } from './text.ts';
import { clashing } from './tool-clashes.ts';

/** Toolsets of the agent's own cluster. They need no discovery, and keep the file from being empty. */
const ALWAYS: Readonly<Record<string, HolmesToolset>> = {
  'kubernetes/core': { enabled: true },
  'kubernetes/logs': { enabled: true },
};

type LeftOut = Extract<BackendFields, { leftOut: string }>;

/** Where a backend is that this file leaves out. */
const ELSEWHERE = 'it is in toolset.json';

/** What to do about a backend that is left out for this cause. `undefined` if there is nothing. */
function fixFor(cause: Omission['cause'], tool: Tool): string | undefined {
  if (cause === 'unsupported' || tool.added === true) return undefined;
  if (cause === 'tenant')
    return `write the id of its tenant, under ${isHome(tool) ? tool.key : tool.detector} in the setting tenants`;
  return isHome(tool)
    ? `if you trust its owner with credentials, add an entry ${tool.key} to the setting credentials that names the agent's environment variables`
    : undefined;
}

/** Whether HolmesGPT, or an override, has a toolset of this name. */
const isToolset = (name: string, { toolsets = {} }: HolmesPatch): boolean =>
  own(HOLMES.toolsets, name) !== undefined || Object.hasOwn(toolsets, name);

/** The agent's version, and the inputs other than its tools. */
export interface HolmesOptions {
  readonly credentials: Credentials;
  /** `0.20`: one backend for each built-in toolset; `0.32` and newer: several, as instances. */
  readonly holmesgptVersion: '0.20' | '0.32';
  /** Whether the agent sends its own token to each Prometheus without other credentials. */
  readonly holmesgptOpenshift?: boolean;
  /** Joined to the document. */
  readonly patch: HolmesPatch;
  /** The configured namespaces, the most important first. */
  readonly namespaces?: readonly string[];
  /** All backends that were found, also those that are no tool. Overrides may mean one of them. */
  readonly found?: readonly DiscoveredService[] | undefined;
  /** The published file. Where only one backend can have a place, the current one keeps it. */
  readonly publishedFile?: string | undefined;
}

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

/** A toolset of the document with the tools that it is made of. */
interface Source {
  readonly tools: readonly Tool[];
  readonly toolset: HolmesToolset;
  /** The same without some of the tools, by index and with the reason; `undefined` if none is left. */
  without(faulty: ReadonlyMap<number, string>): Source | undefined;
}

function sourceOf<E extends { readonly tool: Tool }>(
  entries: readonly E[],
  build: (entries: readonly E[]) => HolmesToolset,
  leaveOut: (tool: Tool, why: string) => void,
): Source {
  return {
    tools: entries.map(({ tool }) => tool),
    toolset: build(entries),
    without(faulty) {
      const left = entries.filter((_, index) => !faulty.has(index));
      for (const [index, { tool }] of entries.entries()) {
        const why = faulty.get(index);
        if (why !== undefined) leaveOut(tool, `HolmesGPT would reject it: ${why}`);
      }
      return left.length === 0 ? undefined : sourceOf(left, build, leaveOut);
    },
  };
}

/** The newest agent, without credentials. */
export const NEWEST: HolmesOptions = { credentials: {}, holmesgptVersion: '0.32', patch: {} };

/**
 * `custom_toolset.yaml`, which HolmesGPT loads.
 * @param tools in the order of the document
 */
export function holmesDocument(tools: readonly Tool[], options: HolmesOptions = NEWEST): HolmesDocument {
  const notes: Problem[] = [];
  const servers: Record<string, HolmesMcpServer> = {};
  const mcp: { readonly tool: Tool }[] = [];
  const byToolset = new Map<string, Entry<Toolsets>[]>();
  const byHttpType = new Map<string, Entry<Kind<'http'>>[]>();
  const add = <E>(map: Map<string, E[]>, key: string, entry: E): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [entry]);
    else list.push(entry);
  };
  const omissions = new Map<Tool, Omission>();
  const omit = (tool: Tool, why: string, cause: Omission['cause'] = 'unsupported', fix?: string): void =>
    void omissions.set(tool, {
      key: tool.key,
      tool: tool.tool,
      cause,
      why,
      ...(fix === undefined ? {} : { fix }),
    });
  const leaveOut = (
    tool: Tool,
    why: string,
    cause: Omission['cause'] = 'unsupported',
    fix = fixFor(cause, tool),
  ): void => {
    const { key, type } = tool;
    notes.push({
      where: `Service ${key}`,
      what: `is left out of custom_toolset.yaml: ${why} (${type})`,
      fix: fix === undefined ? ELSEWHERE : `${ELSEWHERE}; ${fix}`,
    });
    omit(tool, why, cause, fix);
  };
  const { credentials, patch, namespaces = [] } = options;
  const noteCertificate = (tool: Tool, fields: Mapping): void => {
    const problem = certificateProblem(tool.verdict);
    if (problem === undefined || fields.verify_ssl === false) return;
    const { why, fix } = problem;
    notes.push({ where: `Service ${tool.key}`, what: `HolmesGPT may refuse it: ${why}`, fix });
  };
  const report = (problem: Problem): void => void notes.push(problem);
  for (const tool of tools) {
    const holmes = entryOf(tool);
    const given = credentialOf(credentials, tool);
    if (endpointUrl(tool.endpoint).includes('{{')) {
      leaveOut(tool, 'its URL holds {{, which the agent would read as a template');
      continue;
    }
    if ('toolsets' in holmes || 'http' in holmes) {
      const why = new Map<string, LeftOut>();
      const leaveOutOf = (name: string, result: LeftOut): void => {
        const isNeed = result.cause === 'credentials' || result.cause === 'tenant';
        if (!isNeed || !listsBackend(patch, name, tool)) why.set(result.leftOut, result);
      };
      for (const name of 'toolsets' in holmes ? holmes.toolsets : [tool.detector]) {
        // What is wrong with the options is the same for each tenant.
        const fieldsOf = (view: Tool, isFirst = true): BackendFields => {
          const result = checkedFields(
            name,
            { tool: view, holmes },
            given,
            patch,
            isFirst ? report : () => {},
          );
          const isGuarded = name === WITH_AGENT_TOKEN && keepsAgentToken(options);
          return isGuarded && 'fields' in result && given?.agentToken !== true
            ? { fields: withoutAgentToken(result.fields) }
            : result;
        };
        if ('http' in holmes) {
          const result = fieldsOf(tool);
          if ('leftOut' in result) leaveOutOf(name, result);
          else {
            add(byHttpType, name, { tool, holmes, fields: result.fields });
            noteCertificate(tool, result.fields);
          }
          continue;
        }
        const result = perTenant({ tool, holmes }, fieldsOf);
        if ('leftOut' in result) leaveOutOf(name, result);
        else if ('entries' in result) {
          for (const entry of result.entries) add(byToolset, name, entry);
          // A backend may be in several toolsets.
          if (name === holmes.toolsets[0]) noteCertificate(tool, result.entries[0]?.fields ?? {});
        }
      }
      for (const { leftOut, cause, fix } of why.values()) leaveOut(tool, leftOut, cause, fix);
      continue;
    }
    const result = backendFields(tool, given);
    if ('leftOut' in result) leaveOut(tool, result.leftOut, result.cause, result.fix);
    else if (tool.added === true ? own(HOLMES.toolsets, tool.key) !== undefined : isToolset(tool.key, patch))
      leaveOut(tool, `a toolset is called ${tool.key}, and HolmesGPT would take the server in its place`);
    else {
      mcp.push({ tool });
      noteCertificate(tool, result.fields);
      servers[tool.key] = {
        description: describe(tool),
        ...(tool.added === true ? {} : { approval_required_tools: approvalRequired(tool.verdict) }),
        config: { url: endpointUrl(tool.endpoint), mode: tool.mode, ...result.fields },
      };
    }
  }
  // A server that a person added keeps its name.
  for (const { tool: server } of mcp) {
    const homonyms = server.added === true ? (byHttpType.get(server.key) ?? []) : [];
    for (const { tool } of homonyms) leaveOut(tool, `your own MCP server is called ${server.key}`);
    if (homonyms.length > 0) byHttpType.delete(server.key);
  }
  const placed = new Map<string, readonly { readonly tool: Tool }[]>([...byToolset, ...byHttpType]);
  const all = () => [...tools, ...(options.found ?? []).map(discoveredTool)];
  notes.push(...unmatched(patch, placed, all));
  const naming =
    (toolset: string) =>
    (tool: Tool): Naming => {
      const [a, b] = [namedIn(patch, toolset, tool), namedInCredentials(credentials, tool)];
      return a === 'service' ? a : (b ?? a);
    };
  const holders = holdersIn(options.publishedFile);
  const { ranked, clashes } = ranking(mcp, { namespaces, naming: naming('') }, holders, patch);
  for (const [key, why] of clashes) {
    const tool = ranked.find((each) => each.key === key);
    if (tool === undefined || tool.added === true) continue;
    delete servers[key];
    leaveOut(tool, why);
  }
  for (const { key, verdict } of ranked)
    if (Object.hasOwn(servers, key)) notes.push(...questionsOf(key, verdict, patch).problems);
  notes.push(...sharedToolNames(ranked.filter(({ key }) => Object.hasOwn(servers, key))));
  const sources = new Map<string, Source>();
  for (const [name, found] of byToolset) {
    const several = options.holmesgptVersion !== '0.20' || found[0]?.holmes.list !== 'instances';
    const single = !several || found.some(({ holmes }) => isUnconfigured(holmes));
    const holds = (tool: Tool): boolean => single && holders.toolset(name, tool);
    const entries = preferred(found, { namespaces, naming: naming(name), holds });
    const [first] = entries;
    const why =
      first !== undefined && isUnconfigured(first.holmes)
        ? `${name} is for the one that the agent's environment names`
        : `HolmesGPT before 0.32 supports only one backend for ${name}, and ${first?.tool.key} is it`;
    for (const { tool } of single ? entries.slice(1) : [])
      if (tool === first?.tool) report(oneTenant(name, first));
      else leaveOut(tool, why);
    const build = (kept: readonly Entry<Toolsets>[]): HolmesToolset =>
      single && kept[0] !== undefined ? singleToolset(kept[0]) : builtInToolset(name, kept, report);
    sources.set(name, sourceOf(single ? entries.slice(0, 1) : entries, build, leaveOut));
  }
  for (const [name, entries] of byHttpType) {
    const order = preferred(entries, { namespaces, naming: naming(name) });
    sources.set(name, sourceOf(order, httpToolset, leaveOut));
  }
  const clean = dropInvalidEntries(
    {
      toolsets: {
        ...ALWAYS,
        ...Object.fromEntries([...sources].map(([name, { toolset }]) => [name, toolset])),
      },
      ...(Object.keys(servers).length === 0 ? {} : { mcp_servers: servers }),
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
      else if (!omissions.has(tool)) omit(tool, `HolmesGPT would reject the entry ${name}`);
  for (const { tool } of mcp)
    if (!omissions.has(tool) && !Object.hasOwn(generated.mcp_servers ?? {}, tool.key))
      omit(tool, 'HolmesGPT would reject its entry');
  const merged = withPatch(generated, withoutBackends(patch), {
    holmesgptVersion: options.holmesgptVersion,
    standsAlone: false,
    hosts: new Map(
      mcp.map(({ tool }) => [endpointUrl(tool.endpoint), (tool.metadata[HOSTS] ?? '').split(',')] as const),
    ),
  });
  const document = sorted(merged.document);
  return {
    get text() {
      return holmesText(document);
    },
    document,
    uses: new Map(
      [...placed].map(([name, entries]) => [name, [...new Set(entries.map(({ tool }) => tool))]]),
    ),
    notes: [...notes, ...clean.notes, ...merged.notes],
    // A tool that one toolset leaves out may be in another one.
    omissions: [...omissions].flatMap(([tool, omission]) => (used.has(tool) ? [] : [omission])),
  };
}

/** The problem if an agent takes one entry, and the backend has several tenants. */
const oneTenant = (toolset: string, { tool, tenant = '' }: Entry<Toolsets>): Problem => ({
  where: `Service ${tool.key}`,
  what: `only its tenant ${tenant} is in custom_toolset.yaml: HolmesGPT before 0.32 supports only one entry for ${toolset}`,
  fix: 'update HolmesGPT, and raise HOLMESGPT_VERSION',
});

/**
 * The MCP servers in the order of their claim to tool names, and those that would take the names of others. In case of a
 * clash, a published server keeps its names.
 */
function ranking(
  mcp: readonly { readonly tool: Tool }[],
  preference: Preference,
  holders: Holders,
  { mcp_servers = {} }: HolmesPatch,
): { readonly ranked: readonly Tool[]; readonly clashes: ReadonlyMap<string, string> } {
  const rankedBy = (by: Preference): Tool[] => preferred(mcp, by).map(({ tool }) => tool);
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
