import type { Problem } from '../../../model/discovery.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { leadsToHost, sameBackend, sameMcpServer } from '../../../model/same-url.ts';
import { own } from '../contract/models.ts';
import {
  addressesOf,
  addressFaults,
  carriesCredentials,
  isCommon,
  type Shape,
  shapeOf,
} from '../contract/shape.ts';
import { baseUrlsOf } from '../render/base-urls.ts';
import { serverUrl, serviceOfKey } from '../server-url.ts';
import {
  besideHandWritten,
  fieldsWhere,
  generatedBackends,
  handWrittenBackends,
  isSame,
  partsOf,
} from './join-lists.ts';

/** How a hand-written document is joined to the generated one. */
export interface JoinOptions {
  /** `0.20`: a built-in toolset supports one backend. */
  readonly holmesgptVersion: '0.20' | '0.32';
  /** The agent's namespace, if known: a Service name without a namespace belongs to it. */
  readonly namespace?: string | undefined;
  /** The hand-written document is the whole configuration of HolmesGPT, so it can have options without an address. */
  readonly standsAlone: boolean;
  /** The hosts of discovered MCP servers, by URL. */
  readonly hosts?: Hosts;
  /** The addresses of tools. A generated backend with another address is from overrides. Without this set, none is. */
  readonly discovered?: ReadonlySet<string>;
}

type Hosts = ReadonlyMap<string, readonly string[]>;

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

interface Config {
  readonly config: unknown;
  readonly note?: Omit<Problem, 'where'>;
}

const FIX =
  'for a discovered backend, name it under backends in overrides.yaml; for one of your own, give its address too';
const LEFT_OUT = 'so the discovered backends of this toolset are left out';
const withoutNulls = (value: unknown): unknown => mergePatch(undefined, value);

/** How the configurations of one toolset are joined. */
interface ToolsetOptions {
  readonly shape: Shape | undefined;
  /** The toolset also works without an address. */
  readonly alone: boolean;
  readonly namespace: string | undefined;
  readonly discovered: ReadonlySet<string> | undefined;
}

/** Whether a generated backend has its address from overrides. */
function isFromOverrides(backend: Mapping, discovered: ReadonlySet<string> | undefined): boolean {
  const addresses = addressesOf(backend);
  return (
    discovered !== undefined &&
    addresses.length > 0 &&
    !addresses.some((address) => [...discovered].some((known) => sameBackend(address, known)))
  );
}

/** Whether discovered backends are lost if only the hand-written ones stay. */
function losesDiscovered(
  generated: Mapping,
  handWritten: readonly Mapping[],
  { shape, namespace, discovered }: Omit<ToolsetOptions, 'alone'>,
): boolean {
  const backends = shape === undefined ? [generated] : generatedBackends(generated, shape);
  return backends.some(
    (backend) =>
      addressesOf(backend).length > 0 &&
      !isFromOverrides(backend, discovered) &&
      !handWritten.some((each) => isSame(each, backend, namespace)),
  );
}

/** Explains why options have no address, as the start of a sentence, and what to do. */
function missingAddress(handWritten: Mapping, kept: readonly string[], otherwise: string) {
  const faults = Object.entries({ '': handWritten, ...handWritten }).flatMap(([field, value]) =>
    [value]
      .flat()
      .flatMap((backend: unknown, index) =>
        isMapping(backend)
          ? addressFaults(backend).map((each) => `config.${field === '' ? '' : `${field}.${index}.`}${each}`)
          : [],
      ),
  );
  return faults.length === 0
    ? { why: `config has ${kept.join(', ')} and no address, and ${otherwise}`, fix: FIX }
    : { why: faults.join(', '), fix: 'correct or remove it' };
}

/** Options that are not common and have no address: it is unknown for which backends they are. */
function joinWithoutAddress(generated: Mapping, handWritten: Mapping, options: ToolsetOptions): Config {
  const { shape, alone, discovered } = options;
  const common = fieldsWhere(handWritten, isCommon);
  const kept = Object.keys(handWritten).filter((field) => !Object.hasOwn(common, field));
  const backends = shape === undefined ? [generated] : generatedBackends(generated, shape);
  const persons = alone ? backends.filter((backend) => isFromOverrides(backend, discovered)) : [];
  if (persons.length > 0) {
    const [only] = persons;
    const { why, fix } = missingAddress(handWritten, kept, 'overrides.yaml gives the toolset one');
    return {
      config: mergePatch(shape === undefined ? only : { [shape.list]: persons }, common),
      note: { what: `${why}, so it is not merged`, fix },
    };
  }
  const { why, fix } = missingAddress(handWritten, kept, 'every discovered backend would receive that');
  if (alone) {
    const config = withoutNulls(handWritten);
    if (losesDiscovered(generated, [], options))
      return { config, note: { what: `${why}, ${LEFT_OUT}`, fix } };
    return fix === FIX ? { config } : { config, note: { what: why, fix } };
  }
  return { config: mergePatch(generated, common), note: { what: `${why}, so it is not merged`, fix } };
}

/** Joins where HolmesGPT supports one backend: a hand-written one replaces the generated one. */
function joinSingle(generated: Mapping, handWritten: Mapping, options: ToolsetOptions): Config {
  if (Object.entries(handWritten).every(([field, value]) => isCommon(field, value)))
    return { config: mergePatch(generated, handWritten) };
  const listed = [own(handWritten, 'instances') ?? []].flat().filter(isMapping);
  if ([handWritten, ...listed].every((backend) => addressesOf(backend).length === 0))
    return joinWithoutAddress(generated, handWritten, options);
  const config = withoutNulls(handWritten);
  if (!losesDiscovered(generated, [handWritten, ...listed], options)) return { config };
  const what =
    listed.length > 0
      ? `config has instances, which HolmesGPT supports from 0.32 on, and names its backends, ${LEFT_OUT}`
      : `config names a backend, and HolmesGPT supports only one backend per toolset of this kind, ${LEFT_OUT}`;
  return { config, note: { what } };
}

/** Joins lists: hand-written backends come first, then the generated ones. */
function joinList(generated: Mapping, handWritten: Mapping, shape: Shape, options: ToolsetOptions): Config {
  const parts = partsOf(handWritten, shape);
  // HolmesGPT rejects the configuration with a message of its own.
  if (parts === undefined) return { config: withoutNulls(handWritten) };
  const { list, beside, exclusive } = parts;
  const safe = Object.entries(beside).every(([field, value]) => isCommon(field, value));
  if (!shape.flat && list.length > 0 && !safe && shape.name === undefined) {
    const what = `config has ${Object.keys(beside).join(', ')} next to ${shape.list}, which applies to all of them, ${LEFT_OUT}`;
    const note = { what, fix: 'give your endpoints an entry of another name' };
    const isLost = losesDiscovered(generated, list, options);
    return { config: withoutNulls(handWritten), ...(isLost ? { note } : {}) };
  }
  const { entries: theirs, common, note } = handWrittenBackends(parts, shape);
  if (theirs.length === 0)
    return exclusive || safe
      ? { config: exclusive ? beside : mergePatch(generated, handWritten) }
      : joinWithoutAddress(generated, handWritten, options);
  const backends = exclusive ? [] : generatedBackends(generated, shape);
  const found = backends.filter((backend) => addressesOf(backend).length > 0);
  const ours = besideHandWritten(found, theirs, shape, options.namespace);
  const config =
    ours.length === 0 && list.length === 0
      ? beside
      : { ...common, [shape.list]: [...theirs.map(withoutNulls), ...ours] };
  const [lost] = backends.filter((backend) => addressesOf(backend).length === 0);
  if (lost === undefined) return { config, ...(note === undefined ? {} : { note: { what: note } }) };
  const fields = Object.keys(lost).filter((field) => field !== shape.name);
  const what = `overrides.yaml has ${fields.join(', ')} for it and no address, and this config has one, so that is not merged`;
  return { config, note: { what, fix: FIX } };
}

/**
 * Of all toolsets with an address, only this one also works without it: HolmesGPT uses PROMETHEUS_URL, or searches for
 * Prometheus.
 */
export const WITHOUT_ADDRESS = 'prometheus/metrics';

/** Whether a hand-written entry is of another type than the generated one of its name. Without a type, it is one if it has tools. */
function isOfAnotherType(handWritten: Mapping, generated: Mapping): boolean {
  const [theirs, ours] = [own(handWritten, 'type') ?? undefined, own(generated, 'type')];
  const tools = own(handWritten, 'tools');
  return theirs === undefined
    ? ours !== undefined && Array.isArray(tools) && tools.length > 0
    : theirs !== ours;
}

function joinToolset(name: string, generated: Mapping, handWritten: Mapping, options: JoinOptions) {
  const { config: theirs, ...fields } = handWritten;
  const { config: ours, ...others } = generated;
  const { namespace, discovered } = options;
  if (isOfAnotherType(fields, others)) {
    const before = shapeOf(name, own(others, 'type'), options.holmesgptVersion !== '0.20');
    const isLost = isMapping(ours) && losesDiscovered(ours, [], { shape: before, namespace, discovered });
    const note = { what: `is an entry of another type, ${LEFT_OUT}` };
    return { entry: withoutNulls(handWritten), ...(isLost ? { note } : {}) };
  }
  const entry = mergePatch(others, fields) as Mapping;
  if (theirs === null || (theirs === undefined && ours === undefined)) return { entry };
  if (!isMapping(ours) || !isMapping(theirs))
    return { entry: { ...entry, config: theirs === undefined ? ours : withoutNulls(theirs) } };
  const shape = shapeOf(name, own(entry, 'type'), options.holmesgptVersion !== '0.20');
  // Credentials without an address are meant for the Prometheus that HolmesGPT finds.
  const alone =
    name === WITHOUT_ADDRESS &&
    (options.standsAlone ||
      Object.entries(theirs).some(([field, value]) => carriesCredentials(field, value)));
  const how: ToolsetOptions = { shape, alone, namespace, discovered };
  const { config, note } =
    shape === undefined ? joinSingle(ours, theirs, how) : joinList(ours, theirs, shape, how);
  return { entry: withUrls({ ...entry, config }, fields), note };
}

/** Updates the URLs in the instructions of an HTTP toolset. */
function withUrls(entry: Mapping, { llm_instructions: theirs }: Mapping): Mapping {
  const { type, config, llm_instructions: text } = entry;
  if (type !== 'http' || theirs !== undefined || typeof text !== 'string' || !isMapping(config)) return entry;
  const endpoints = Array.isArray(config.endpoints) ? config.endpoints.filter(isMapping) : [];
  return { ...entry, llm_instructions: baseUrlsOf(text, endpoints) };
}

/** An entry without a generated counterpart. Credentials next to its instances move into them. */
function ownEntry(name: string, handWritten: Mapping, version: JoinOptions['holmesgptVersion']): unknown {
  const entry = withoutNulls(handWritten) as Mapping;
  const shape = shapeOf(name, own(entry, 'type'), version !== '0.20');
  const parts = shape?.flat === true && isMapping(entry.config) ? partsOf(entry.config, shape) : undefined;
  const secret = Object.entries(parts?.beside ?? {}).some(([field, value]) =>
    carriesCredentials(field, value),
  );
  if (shape === undefined || parts === undefined || parts.list.length === 0 || !secret) return entry;
  const { entries, common } = handWrittenBackends(parts, shape);
  return { ...entry, config: { ...common, [shape.list]: entries } };
}

/** The URL of a hand-written entry. Without an address, the key `NAMESPACE/SERVICE` names the Service. */
function placeOf(name: string, entry: unknown): string | undefined {
  const host = serviceOfKey(name);
  return serverUrl(entry) ?? (host === undefined ? undefined : `http://${host}`);
}

/**
 * The generated MCP servers that hand-written entries list already under another name. A second entry would offer the same
 * tools without the approvals that the hand-written one requires, or although the hand-written one is disabled.
 * @param hosts of discovered servers, by URL
 */
function duplicateServers(
  generated: Mapping,
  handWritten: Mapping,
  namespace: string | undefined,
  hosts: Hosts = new Map(),
): string[] {
  const listed = Object.entries(handWritten).flatMap(([name, entry]) => placeOf(name, entry) ?? []);
  return Object.entries(generated).flatMap(([name, entry]) => {
    const url = serverUrl(entry);
    const twice =
      !Object.hasOwn(handWritten, name) &&
      url !== undefined &&
      listed.some(
        (theirs) =>
          leadsToHost(theirs, hosts.get(url) ?? [], namespace) || sameMcpServer(theirs, url, namespace),
      );
    return twice ? [name] : [];
  });
}

const DUPLICATE = { what: 'is not added: a server of your own leads to the same Service or Pods' };

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

/** Whether HolmesGPT starts a server as a program. */
const isProgram = ({ config }: Mapping): boolean =>
  isMapping(config) && (own(config, 'mode') === 'stdio' || 'command' in config);

/** Whether an entry is not a server itself, and only sets options of a discovered one. */
function isRule(name: string, entry: Mapping): boolean {
  return placeOf(name, entry) !== undefined && serverUrl(entry) === undefined && !isProgram(entry);
}

const NO_SERVER = {
  what: 'is for no MCP server that is added now, so it changes nothing',
  fix: 'to make it a server of your own, set its config.url',
};

/** What a hand-written entry is if the discovered server of its name is missing, or leads elsewhere. */
const UNKNOWN_TOOLS = {
  what: 'has the name of a discovered MCP server, and its address is not that of one now, so the agent asks before each of its tools',
  fix: 'to choose the tools yourself, set its approval_required_tools',
};

/**
 * A hand-written server without a discovered one. If its key names a Service, the list of tools before which the agent asks
 * may have come from discovery, and the owner of the Service must not end that: without the list, the agent would ask before
 * none.
 */
function ownServer(
  name: string,
  handWritten: Mapping,
): { readonly entry: unknown; readonly note?: typeof UNKNOWN_TOOLS } {
  const entry = withoutNulls(handWritten) as Mapping;
  const hasRule = Object.hasOwn(handWritten, 'approval_required_tools') || entry.enabled === false;
  if (serviceOfKey(name) === undefined || hasRule || isProgram(handWritten)) return { entry };
  return { entry: { ...entry, approval_required_tools: ['*'] }, note: UNKNOWN_TOOLS };
}

/** Joins an MCP server. A hand-written address means another server, which gets nothing from the generated entry. */
function joinServer(
  name: string,
  generated: Mapping,
  handWritten: Mapping,
  { namespace }: JoinOptions,
): ReturnType<typeof ownServer> {
  const url = serverUrl(handWritten);
  const another = url !== undefined && !sameBackend(url, serverUrl(generated) ?? '', namespace);
  return another || isProgram(handWritten)
    ? ownServer(name, handWritten)
    : { entry: mergePatch(generated, handWritten) };
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
    : { entry: ownEntry(name, entry, options.holmesgptVersion) };
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
