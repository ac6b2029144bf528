import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { leadsToHost, sameBackend, sameMcpServer } from '../../../model/same-url.ts';
import { own } from '../contract/models.ts';
import { serverUrl, serviceOfKey } from '../server-url.ts';
import type { Hosts, JoinOptions } from './join-options.ts';

const withoutNulls = (value: unknown): unknown => mergePatch(undefined, value);

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
export function duplicateServers(
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

export const DUPLICATE = { what: 'is not added: a server of your own leads to the same Service or Pods' };

/** Whether HolmesGPT starts a server as a program. */
const isProgram = ({ config }: Mapping): boolean =>
  isMapping(config) && (own(config, 'mode') === 'stdio' || 'command' in config);

/** Whether an entry is not a server itself, and only sets options of a discovered one. */
export function isRule(name: string, entry: Mapping): boolean {
  return placeOf(name, entry) !== undefined && serverUrl(entry) === undefined && !isProgram(entry);
}

export const NO_SERVER = {
  what: 'is for no MCP server that is added now, so it changes nothing',
  fix: 'to make it a server of your own, set its config.url',
};

/** What a hand-written entry is if the discovered server of its name is missing, or leads elsewhere. */
const UNKNOWN_TOOLS = {
  what: 'has the name of a discovered MCP server, and its address is not that of one now, so the agent asks before each of its tools',
  fix: 'to choose the tools yourself, set its approval_required_tools',
};

interface JoinedServer {
  readonly entry: unknown;
  readonly note?: { readonly what: string; readonly fix: string };
}

/**
 * A hand-written server without a discovered one. If its key names a Service, the list of tools before which the agent asks
 * may have come from discovery, and the owner of the Service must not end that: without the list, the agent would ask before
 * none.
 */
export function ownServer(name: string, handWritten: Mapping): JoinedServer {
  const entry = withoutNulls(handWritten) as Mapping;
  const hasRule = Object.hasOwn(handWritten, 'approval_required_tools') || entry.enabled === false;
  if (serviceOfKey(name) === undefined || hasRule || isProgram(handWritten)) return { entry };
  return { entry: { ...entry, approval_required_tools: ['*'] }, note: UNKNOWN_TOOLS };
}

/** Joins an MCP server. A hand-written address means another server, which gets nothing from the generated entry. */
export function joinServer(
  name: string,
  generated: Mapping,
  handWritten: Mapping,
  { namespace, standsAlone }: JoinOptions,
): JoinedServer {
  const url = serverUrl(handWritten);
  const another = url !== undefined && !sameBackend(url, serverUrl(generated) ?? '', namespace);
  if (another || isProgram(handWritten)) return ownServer(name, handWritten);
  const entry = mergePatch(generated, handWritten) as Mapping;
  // A list in overrides.yaml is compared with the server's tools instead.
  return standsAlone && mayAskLess(generated, entry) ? { entry, note: OWN_LIST } : { entry };
}

/** Whether the list of tools before which the agent asks may match fewer names. */
function mayAskLess(generated: Mapping, { approval_required_tools: list, enabled }: Mapping): boolean {
  const { approval_required_tools: asked } = generated;
  const now: readonly unknown[] = Array.isArray(list) ? list : [];
  if (enabled === false || !Array.isArray(asked) || now.includes('*')) return false;
  return !asked.every((each) => now.includes(each));
}

const OWN_LIST = {
  what: 'its approval_required_tools are yours instead of the discovered ones: a tool that they do not match runs without a question, also one that is added later',
  fix: 'to have the discovered ones again, remove yours from custom_toolset.person.yaml',
};
