import { approvalKind } from '../model/approvals.ts';
import type { Approval, Candidate, DiscoveredService, Problem } from '../model/discovery.ts';
import { endpointUrl } from '../model/discovery.ts';
import { compareKeys, displayKey, displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import { isMapping } from '../model/mapping.ts';
import { type ApprovalWord, isWholeTool, NO_OVERRIDES, type Overrides } from '../model/overrides.ts';
import { leadsToHost, sameMcpServer } from '../model/same-url.ts';
import { defaultName, type ServiceName, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { serverHosts, targetServices } from './server-hosts.ts';
import { toolsInShort } from './tool-list.ts';
import { toolsShown } from './tools-shown.ts';

/** What the operator decided about MCP servers and annotated Services that are found. */
export interface AdmissionPolicy {
  /** `publish` without it: for documents of Services that the caller vouches for. */
  readonly mcpPolicy?: 'publish' | 'approve' | 'off';
  /** The namespaces that are watched; one that stands here by name is trusted, `*` trusts none. */
  readonly namespaces?: readonly string[];
}

const OPEN: Approval = { state: 'open', reason: '' };

/** HolmesGPT's chart labels its own MCP servers so, and lists them itself with its own rules of approval. */
const PART_OF = 'app.kubernetes.io/part-of';

const isMcp = ({ mcp }: Candidate): boolean => mcp === true;

/** What to type to approve a Service. */
export const approveCommand = (key: string): string => `dynamic-toolset approve ${key}`;

/** What a person wrote under either key of a Service. */
const saidOf = (service: ServiceName, { tools }: Overrides): ApprovalWord[] =>
  service.cluster === HOME_CLUSTER
    ? [displayKey(service), defaultName(service)].flatMap((key) => tools[key]?.approved ?? [])
    : [];

/** The other Service of a backend, or of its Pods, or one that it leads to, that a person refused. */
function refusedBeside(found: Candidate, overrides: Overrides): ServiceName | undefined {
  const { service, alternates, sharesPods = [] } = found;
  const isRefused = (each: ServiceName): boolean => saidOf(each, overrides).includes(false);
  const name = [...alternates, ...sharesPods].find((each) => isRefused({ ...service, name: each }));
  return name === undefined ? targetServices(found).find(isRefused) : { ...service, name };
}

/**
 * What a person wrote about a backend. An approval is only for the Service that it names: another one of the backend may
 * have other Pods, ports and paths. Unless that Service is approved, the refusal of any other Service of the backend or of
 * its Pods counts. Who approved a Service as one kind has not approved what its owner makes of it later.
 */
function approvalOf(found: Candidate, overrides: Overrides): ApprovalWord | undefined {
  const own = saidOf(found.service, overrides);
  if (own.includes(false)) return false;
  const fitting = own.find((word) => word === true || word === approvalKind(found));
  if (fitting !== undefined) return fitting;
  return refusedBeside(found, overrides) === undefined ? own[0] : false;
}

/** Why a Service waits, other than that nobody approved it: the rest of a sentence about it, or nothing. */
function otherwise(found: Candidate, overrides: Overrides): string {
  const approved = approvalOf(found, overrides);
  if (typeof approved === 'string') return `was approved as ${approved}, and is ${approvalKind(found)} now`;
  if (saidOf(found.service, overrides).includes(false)) return '';
  const beside = refusedBeside(found, overrides);
  return beside === undefined ? '' : `goes with ${displayKey(beside)}, which overrides.yaml refuses`;
}

/** URLs of MCP servers that a person lists in overrides, and where. */
function listedServers({
  tools,
  holmesgpt,
}: Overrides): (readonly [url: string, where: string, key: string])[] {
  const servers = Object.entries(holmesgpt.mcp_servers ?? {}).flatMap(([name, entry]) => {
    const config = isMapping(entry?.config) ? entry.config : {};
    return [entry?.url, config.url]
      .filter((url) => typeof url === 'string')
      .map((url) => [url, `overrides.yaml, mcp_servers ${oneLine(name, 100)}`, name] as const);
  });
  const added = Object.entries(tools).flatMap(([name, tool]) =>
    tool.type === 'mcp' && isWholeTool(tool)
      ? [[tool.endpoint, `overrides.yaml, tool ${oneLine(name, 100)}`, name] as const]
      : [],
  );
  return [...servers, ...added];
}

/** `listedServers` of overrides, which are asked for each MCP server again. */
const listedIn = new WeakMap<Overrides, ReturnType<typeof listedServers>>();

/** Where the agent's configuration lists this MCP server already. */
function listedAs(found: DiscoveredService, overrides: Overrides): string | undefined {
  if (!isMcp(found)) return undefined;
  if (found.service.labels[PART_OF] === 'holmes') return `HolmesGPT's chart (label ${PART_OF}: holmes)`;
  const listed = listedIn.get(overrides) ?? listedServers(overrides);
  listedIn.set(overrides, listed);
  const url = endpointUrl(found.endpoint);
  const hosts = serverHosts(found);
  const own = [displayKey(found.service), defaultName(found.service)];
  return listed.find(
    ([each, , key]) => !own.includes(key) && (leadsToHost(each, hosts) || sameMcpServer(each, url)),
  )?.[1];
}

/** Whether a service becomes a tool. Pure. */
export function admissionOf(
  found: DiscoveredService,
  { mcpPolicy = 'publish', namespaces = [] }: AdmissionPolicy,
  overrides: Overrides = NO_OVERRIDES,
): Approval {
  if (approvalKind(found) === undefined) return OPEN;
  const where = listedAs(found, overrides);
  if (where !== undefined) return { state: 'listed', reason: `not added: ${where} lists it already` };
  if (mcpPolicy === 'off') return { state: 'off', reason: 'not published: MCP_POLICY is off' };
  const approved = approvalOf(found, overrides);
  if (approved === true || approved === approvalKind(found))
    return { state: 'approved', reason: 'approved in overrides.yaml' };
  const { cluster, namespace } = found.service;
  if (approved === undefined && cluster === HOME_CLUSTER && namespaces.includes(namespace))
    return { state: 'trusted', reason: `published: NAMESPACES lists ${namespace} by name` };
  if (mcpPolicy === 'publish' && approved !== false)
    return { state: 'published', reason: 'published: MCP_POLICY is publish' };
  const other = otherwise(found, overrides);
  const command = approveCommand(displayKey(found.service));
  return { state: 'waiting', reason: `waits for approval: ${other === '' ? '' : `it ${other}; `}${command}` };
}

const HELD: ReadonlySet<Approval['state']> = new Set(['waiting', 'off', 'listed']);

/** Whether it keeps a service from becoming a tool. */
export const isHeld = ({ state }: Approval): boolean => HELD.has(state);

/** Whether a server offers other tools than those that a person was shown for approval. */
function offersOthers({ service, verdict }: DiscoveredService, { tools }: Overrides): boolean {
  const shown = [displayKey(service), defaultName(service)].flatMap((key) => tools[key]?.approvedTools ?? []);
  const offered = toolsShown(verdict);
  return shown.length > 0 && shown.every((each) => each !== offered);
}

/**
 * The service as it may be published: where nobody trusts it, or its tools are not those that were approved, its word on
 * which tools are read-only does not count.
 */
function asTrusted(found: DiscoveredService, { state }: Approval, overrides: Overrides): DiscoveredService {
  const { tools } = found.verdict;
  if (tools === undefined) return found;
  if (state !== 'published' && !offersOthers(found, overrides)) return found;
  return {
    ...found,
    verdict: { ...found.verdict, tools: tools.map((tool) => ({ ...tool, readOnly: false })) },
  };
}

/** What of overrides only approves. */
export function approvalsOf({ tools }: Overrides): Overrides {
  const approvals = Object.entries(tools).flatMap(([name, { approved, approvedTools }]) =>
    approved === undefined ? [] : [[name, { approved, approvedTools }] as const],
  );
  return { tools: Object.fromEntries(approvals), holmesgpt: {} };
}

/** Overrides without approvals: what is left changes a tool. */
function withoutApprovals(overrides: Overrides): Overrides {
  const tools = Object.entries(overrides.tools).map(
    ([name, { approved: _, approvedTools: __, ...rest }]) => [name, rest] as const,
  );
  return { ...overrides, tools: Object.fromEntries(tools) };
}

/** Most services of one namespace that are told one by one. */
const FEW = 5;

/** What a person should know of what waits: a line each, and one for the rest of a namespace that has many. */
function waitingNotes(waiting: readonly DiscoveredService[], overrides: Overrides): Problem[] {
  const notes: Problem[] = [];
  for (const [namespace, all] of Map.groupBy(waiting, ({ service }) => displayNamespace(service))) {
    for (const found of all.slice(0, FEW)) {
      const key = displayKey(found.service);
      const tools = toolsInShort(found.verdict);
      const other = otherwise(found, overrides);
      notes.push({
        where: `Service ${key}`,
        what: `${other === '' ? '' : `${other}, so it `}waits for approval and is not published until then (${found.type}${tools === '' ? '' : `, ${tools}`})`,
        fix: `if you trust it: ${approveCommand(key)}`,
      });
    }
    if (all.length > FEW)
      notes.push({
        where: `namespace ${namespace}`,
        what: `${all.length - FEW} more MCP servers and annotated Services wait for approval and are not published until then`,
        fix: 'see them with discover -o wide',
      });
  }
  return notes;
}

export interface Admitted {
  /** What may become a tool. */
  readonly services: readonly DiscoveredService[];
  /** What of the overrides is for those, and for tools that people add. */
  readonly overrides: Overrides;
  /** What waits for a person, by namespace and name. */
  readonly waiting: readonly DiscoveredService[];
  /** Those, and all others that may not become a tool. */
  readonly held: readonly DiscoveredService[];
  readonly notes: readonly Problem[];
}

/** Splits what was found into what may become a tool and what may not, or not yet. Pure. */
export function admit(
  found: readonly DiscoveredService[],
  policy: AdmissionPolicy,
  overrides: Overrides,
): Admitted {
  const services: DiscoveredService[] = [];
  const held: DiscoveredService[] = [];
  const waiting: DiscoveredService[] = [];
  for (const service of found) {
    const admission = admissionOf(service, policy, overrides);
    if (isHeld(admission)) held.push(service);
    else services.push(asTrusted(service, admission, overrides));
    if (admission.state === 'waiting') waiting.push(service);
  }
  waiting.sort((a, b) => compareKeys(serviceKey(a.service), serviceKey(b.service)));
  return {
    services,
    overrides: withoutApprovals(overrides),
    waiting,
    held,
    notes: waitingNotes(waiting, overrides),
  };
}
