import { endpointUrl } from '../../../model/discovery.ts';
import { credentialOf } from '../../../planning/credentials.ts';
import { describe } from '../../../planning/description.ts';
import type { Tool } from '../../../planning/tools.ts';
import { approvalRequired } from '../checks/approval.ts';
import { HOLMES, own } from '../contract/models.ts';
import type { HolmesMcpServer } from '../contract/schema.ts';
import type { HolmesPatch } from '../overrides.ts';
import { keepsAgentToken, WITH_AGENT_TOKEN, withoutAgentToken } from './agent-token.ts';
import { type BackendFields, backendFields, checkedFields, perTenant } from './backend-fields.ts';
import { listsBackend } from './backends.ts';
import type { HolmesOptions } from './document-options.ts';
import type { DocumentReport } from './document-report.ts';
import type { Entry, Kind, Toolsets } from './entries.ts';
import { entryOf } from './mapping.ts';

/** The places of tools in the document. */
export interface Placement {
  /** Backends of the agent's own toolsets. */
  readonly byToolset: ReadonlyMap<string, readonly Entry<Toolsets>[]>;
  /** Backends of HTTP toolsets. */
  readonly byHttpType: ReadonlyMap<string, readonly Entry<Kind<'http'>>[]>;
  readonly servers: readonly Server[];
}

/** An MCP server with its entry. */
export interface Server {
  readonly tool: Tool;
  readonly entry: HolmesMcpServer;
}

type LeftOut = Extract<BackendFields, { leftOut: string }>;

/** Whether HolmesGPT, or an override, has a toolset of this name. */
const isToolset = (name: string, { toolsets = {} }: HolmesPatch): boolean =>
  own(HOLMES.toolsets, name) !== undefined || Object.hasOwn(toolsets, name);

function add<E>(map: Map<string, E[]>, key: string, ...entries: readonly E[]): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [...entries]);
  else list.push(...entries);
}

/** Decides for each tool where in the document it is, with which fields. Reports those that are left out. */
export function placeTools(
  tools: readonly Tool[],
  options: HolmesOptions,
  report: DocumentReport,
): Placement {
  const byToolset = new Map<string, Entry<Toolsets>[]>();
  const byHttpType = new Map<string, Entry<Kind<'http'>>[]>();
  const servers: Server[] = [];
  for (const tool of tools) {
    const holmes = entryOf(tool);
    if (endpointUrl(tool.endpoint).includes('{{'))
      report.leaveOut(tool, 'its URL holds {{, which the agent would read as a template');
    else if ('toolsets' in holmes) placeInToolsets(tool, holmes, options, report, byToolset);
    else if ('http' in holmes) placeInHttpToolset(tool, holmes, options, report, byHttpType);
    else servers.push(...serverOf(tool, options, report));
  }
  // A server that a person added keeps its name.
  for (const { tool: server } of servers) {
    const homonyms = server.added === true ? (byHttpType.get(server.key) ?? []) : [];
    for (const { tool } of homonyms) report.leaveOut(tool, `your own MCP server is called ${server.key}`);
    if (homonyms.length > 0) byHttpType.delete(server.key);
  }
  return { byToolset, byHttpType, servers };
}

/** The fields of a tool in one toolset. What is wrong with them is reported for the first tenant only. */
function fieldsIn(
  name: string,
  tool: Tool,
  holmes: Toolsets | Kind<'http'>,
  options: HolmesOptions,
  report: DocumentReport,
): (view: Tool, isFirst?: boolean) => BackendFields {
  const given = credentialOf(options.credentials, tool);
  const isGuarded = name === WITH_AGENT_TOKEN && keepsAgentToken(options);
  return (view, isFirst = true) => {
    const note = isFirst ? report.note : () => {};
    const result = checkedFields(name, { tool: view, holmes }, given, options.patch, note);
    return isGuarded && 'fields' in result && given?.agentToken !== true
      ? { fields: withoutAgentToken(result.fields) }
      : result;
  };
}

/** Whether a toolset leaves a backend out without a word, because overrides have its credentials or its tenant there. */
const isExpected = (name: string, { cause }: LeftOut, tool: Tool, { patch }: HolmesOptions): boolean =>
  (cause === 'credentials' || cause === 'tenant') && listsBackend(patch, name, tool);

function placeInToolsets(
  tool: Tool,
  holmes: Toolsets,
  options: HolmesOptions,
  report: DocumentReport,
  places: Map<string, Entry<Toolsets>[]>,
): void {
  const why = new Map<string, LeftOut>();
  for (const name of holmes.toolsets) {
    const result = perTenant({ tool, holmes }, fieldsIn(name, tool, holmes, options, report));
    if ('leftOut' in result) {
      if (!isExpected(name, result, tool, options)) why.set(result.leftOut, result);
    } else if ('entries' in result) {
      add(places, name, ...result.entries);
      // A backend may be in several toolsets.
      if (name === holmes.toolsets[0]) report.noteCertificate(tool, result.entries[0]?.fields ?? {});
    }
  }
  for (const { leftOut, cause, fix } of why.values()) report.leaveOut(tool, leftOut, cause, fix);
}

function placeInHttpToolset(
  tool: Tool,
  holmes: Kind<'http'>,
  options: HolmesOptions,
  report: DocumentReport,
  places: Map<string, Entry<Kind<'http'>>[]>,
): void {
  const { detector: name } = tool;
  const result = fieldsIn(name, tool, holmes, options, report)(tool);
  if ('fields' in result) {
    add(places, name, { tool, holmes, fields: result.fields });
    report.noteCertificate(tool, result.fields);
  } else if (!isExpected(name, result, tool, options))
    report.leaveOut(tool, result.leftOut, result.cause, result.fix);
}

/** The entry of an MCP server. None if it is left out. */
function serverOf(
  tool: Tool,
  { credentials, patch }: HolmesOptions,
  report: DocumentReport,
): readonly Server[] {
  const result = backendFields(tool, credentialOf(credentials, tool));
  if ('leftOut' in result) {
    report.leaveOut(tool, result.leftOut, result.cause, result.fix);
    return [];
  }
  const isTaken =
    tool.added === true ? own(HOLMES.toolsets, tool.key) !== undefined : isToolset(tool.key, patch);
  if (isTaken) {
    const why = `a toolset is called ${tool.key}, and HolmesGPT would take the server in its place`;
    report.leaveOut(tool, why);
    return [];
  }
  report.noteCertificate(tool, result.fields);
  const entry = {
    description: describe(tool),
    ...(tool.added === true ? {} : { approval_required_tools: approvalRequired(tool.verdict) }),
    config: { url: endpointUrl(tool.endpoint), mode: tool.mode, ...result.fields },
  };
  return [{ tool, entry }];
}
