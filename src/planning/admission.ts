import { approvalKind, approvalsIn } from '../model/approvals.ts';
import type { Approval, Candidate, DiscoveredService, Problem } from '../model/discovery.ts';
import { endpointUrl } from '../model/discovery.ts';
import { compareKeys, displayKey, displayNamespace, HOME_CLUSTER, partsOf } from '../model/key.ts';
import {
  type ApprovalWord,
  isWholeTool,
  type ListedServer,
  NO_OVERRIDES,
  type Overrides,
} from '../model/overrides.ts';
import { leadsToHost, sameMcpServer } from '../model/same-url.ts';
import { defaultName, type ServiceName, serviceKey } from '../model/service.ts';
import { oneLine } from '../model/text.ts';
import { type ApprovalPlace, approveText } from './approval-place.ts';
import { serverHosts, targetServices } from './server-hosts.ts';
import { toolsInShort } from './tool-list.ts';
import { toolsShown } from './tools-shown.ts';

/** The operator's policy for MCP servers and annotated Services. */
export interface AdmissionPolicy {
  /** Default: `publish`, for Services that the caller vouches for. */
  readonly mcpPolicy?: 'publish' | 'approve' | 'off';
  /** The watched namespaces. A namespace that is listed by name is trusted; `*` trusts none. */
  readonly namespaces?: readonly string[];
  /** Why it is unknown what `overrides.yaml` approves, as a sentence. Default: it is known. */
  readonly approvalsUnknown?: string | undefined;
  /** Where to approve Services; default: in the ConfigMap of the cluster. */
  readonly approvalPlace?: ApprovalPlace | undefined;
}

const OPEN: Approval = { state: 'open', reason: '' };

/** The label of MCP servers that HolmesGPT's own chart deploys. HolmesGPT lists these itself, with its own approval rules. */
const PART_OF = 'app.kubernetes.io/part-of';

const isMcp = ({ mcp }: Candidate): boolean => mcp === true;

/** Whether overrides refuse a backend: `approved: false`, on its Service or on another one of it. */
export const isRefused = (found: Candidate, overrides: Overrides): boolean =>
  approvalOf(found, overrides) === false;

/** What approves a Service that was found, for people. */
const howToApprove = (found: Candidate, place: ApprovalPlace | undefined): string =>
  approveText(displayKey(found.service), approvalKind(found) ?? 'custom', place);

/** The values of `approved` under both keys of a Service. */
const approvalWordsOf = (service: ServiceName, { tools }: Overrides): ApprovalWord[] =>
  service.cluster === HOME_CLUSTER
    ? [displayKey(service), defaultName(service)].flatMap((key) => tools[key]?.approved ?? [])
    : [];

/** Cache of `refusedNames`, which is needed for each backend. */
const refusedIn = new WeakMap<Overrides, ReadonlyMap<string, ReadonlySet<string>>>();

/** The names of refused Services by namespace. A backend may share Pods with thousands of others. */
function refusedNames(overrides: Overrides, namespace: string): ReadonlySet<string> | undefined {
  let known = refusedIn.get(overrides);
  if (known === undefined) {
    const refused = [...approvalsIn(overrides)].filter(([, approval]) => approval.refused);
    const byNamespace = Map.groupBy(
      refused.map(([key]) => partsOf(key)),
      (each) => displayNamespace(each),
    );
    known = new Map(
      [...byNamespace].map(([key, all]) => [key, new Set(all.map(({ name }) => name))] as const),
    );
    refusedIn.set(overrides, known);
  }
  return known.get(namespace);
}

/** A refused Service (`approved: false`) that shares the backend or its Pods, or that the backend points to. */
function refusedBeside(found: Candidate, overrides: Overrides): ServiceName | undefined {
  const { service, alternates, sharesPods = [] } = found;
  const isRefused = (each: ServiceName): boolean => approvalWordsOf(each, overrides).includes(false);
  const refused = refusedNames(overrides, displayNamespace(service));
  const name =
    refused === undefined ? undefined : [...alternates, ...sharesPods].find((each) => refused.has(each));
  return name === undefined ? targetServices(found).find(isRefused) : { ...service, name };
}

/**
 * The approval of a backend. It holds only for the Service that it names, because other Services of the backend may have
 * other Pods, ports and paths, and only for the kind that it names, because the owner may change the kind later. Unless
 * the Service itself is approved, a refusal of any other Service of the backend or its Pods counts.
 */
function approvalOf(found: Candidate, overrides: Overrides): ApprovalWord | undefined {
  const own = approvalWordsOf(found.service, overrides);
  if (own.includes(false)) return false;
  const fitting = own.find((word) => word === true || word === approvalKind(found));
  if (fitting !== undefined) return fitting;
  return refusedBeside(found, overrides) === undefined ? own[0] : false;
}

/** A special reason why a Service waits for approval, as the rest of a sentence. Empty if it is just not approved. */
function waitingReason(found: Candidate, overrides: Overrides): string {
  const approved = approvalOf(found, overrides);
  if (typeof approved === 'string') return `was approved as ${approved}, and is ${approvalKind(found)} now`;
  const beside = refusedBeside(found, overrides);
  return beside === undefined ? '' : `goes with ${displayKey(beside)}, which overrides.yaml refuses`;
}

/** MCP servers in overrides: those that are listed for an agent, and users' own tools. */
function listedServers({ tools, mentions }: Overrides): readonly ListedServer[] {
  const added = Object.entries(tools).flatMap(([key, tool]) =>
    tool.type === 'mcp' && isWholeTool(tool)
      ? [{ key, urls: [tool.endpoint], where: `overrides.yaml, tool ${oneLine(key, 100)}` }]
      : [],
  );
  return [...mentions.servers, ...added];
}

/** Cache of `listedServers`, which is needed for each MCP server. */
const listedIn = new WeakMap<Overrides, ReturnType<typeof listedServers>>();

/** The place where the agent's configuration already lists an MCP server. */
function listedAs(found: DiscoveredService, overrides: Overrides): string | undefined {
  if (!isMcp(found)) return undefined;
  if (found.service.labels[PART_OF] === 'holmes') return `HolmesGPT's chart (label ${PART_OF}: holmes)`;
  const listed = listedIn.get(overrides) ?? listedServers(overrides);
  listedIn.set(overrides, listed);
  const url = endpointUrl(found.endpoint);
  const hosts = serverHosts(found);
  const own = [displayKey(found.service), defaultName(found.service)];
  const leadsThere = (each: string): boolean => leadsToHost(each, hosts) || sameMcpServer(each, url);
  return listed.find(({ key, urls }) => !own.includes(key) && urls.some(leadsThere))?.where;
}

/** Decides whether a service may become a tool. Pure. */
export function admissionOf(
  found: DiscoveredService,
  { mcpPolicy = 'publish', namespaces = [], approvalsUnknown, approvalPlace }: AdmissionPolicy,
  overrides: Overrides = NO_OVERRIDES,
): Approval {
  if (approvalKind(found) === undefined) return OPEN;
  if (approvalsUnknown !== undefined) return { state: 'unknown', reason: approvalsUnknown };
  const where = listedAs(found, overrides);
  if (where !== undefined) return { state: 'listed', reason: `not added: ${where} lists it already` };
  if (mcpPolicy === 'off') return { state: 'off', reason: 'not published: MCP_POLICY is off' };
  const approved = approvalOf(found, overrides);
  if (approved === true || approved === approvalKind(found)) {
    const other = offersOtherTools(found, overrides)
      ? `; ${OTHER_TOOLS}; to see and accept them: ${howToApprove(found, approvalPlace)}`
      : '';
    return { state: 'approved', reason: `approved in overrides.yaml${other}` };
  }
  const { cluster, namespace } = found.service;
  if (approved === undefined && cluster === HOME_CLUSTER && namespaces.includes(namespace))
    return { state: 'trusted', reason: `published: NAMESPACES lists ${namespace} by name` };
  if (mcpPolicy === 'publish' && approved !== false)
    return { state: 'published', reason: 'published: MCP_POLICY is publish' };
  const command = howToApprove(found, approvalPlace);
  if (approvalWordsOf(found.service, overrides).includes(false))
    return {
      state: 'refused',
      reason: `not published: overrides.yaml refuses it; to approve it: ${command}`,
    };
  const other = waitingReason(found, overrides);
  return { state: 'waiting', reason: `waits for approval: ${other === '' ? '' : `it ${other}; `}${command}` };
}

const HELD: ReadonlySet<Approval['state']> = new Set(['waiting', 'refused', 'unknown', 'off', 'listed']);

/** Whether an approval keeps a service out of the documents. */
export const isHeld = ({ state }: Approval): boolean => HELD.has(state);

/** Whether a server offers other tools than `approve` showed. */
function offersOtherTools({ service, verdict }: DiscoveredService, { tools }: Overrides): boolean {
  // The agent asks before each tool anyway.
  if (verdict.tools === undefined || verdict.toolsTruncated === true) return false;
  const shown = [displayKey(service), defaultName(service)].flatMap((key) => tools[key]?.approvedTools ?? []);
  const offered = toolsShown(verdict);
  return shown.length > 0 && shown.every((each) => each !== offered);
}

const OTHER_TOOLS = 'it offers other tools than approve showed, so the agent asks before each of them';

/** Why the read-only tools of a server are not taken as that, so that the agent asks before each tool; `undefined` if they are. */
export function whyReadOnlyIsIgnored(
  found: DiscoveredService,
  { state }: Approval,
  overrides: Overrides,
): string | undefined {
  if (state === 'published') return 'it is published only because MCP_POLICY is publish';
  return offersOtherTools(found, overrides) ? 'it offers other tools than approve showed' : undefined;
}

/**
 * Removes the read-only marks of tools unless the server is trusted and its tools are the approved ones, so that the agent
 * asks before it uses them.
 */
export function withTrustedReadOnly(
  found: DiscoveredService,
  approval: Approval,
  overrides: Overrides,
): DiscoveredService {
  const { tools } = found.verdict;
  if (tools === undefined || whyReadOnlyIsIgnored(found, approval, overrides) === undefined) return found;
  return {
    ...found,
    verdict: { ...found.verdict, tools: tools.map((tool) => ({ ...tool, readOnly: false })) },
  };
}

/** The approvals in overrides, without changes of tools. */
export function approvalsOf({ tools }: Overrides): Overrides {
  const approvals = Object.entries(tools).flatMap(([name, { approved, approvedTools }]) =>
    approved === undefined ? [] : [[name, { approved, approvedTools }] as const],
  );
  return { ...NO_OVERRIDES, tools: Object.fromEntries(approvals) };
}

/** Overrides without approvals, so that only changes of tools are left. */
function withoutApprovals(overrides: Overrides): Overrides {
  const tools = Object.entries(overrides.tools).map(
    ([name, { approved: _, approvedTools: __, ...rest }]) => [name, rest] as const,
  );
  return { ...overrides, tools: Object.fromEntries(tools) };
}

/** Maximum services per namespace with a note of their own. */
const MAX_NOTES_PER_NAMESPACE = 5;

/** Notes about services that wait for approval: one each, and one for the rest of each namespace. */
function waitingNotes(
  waiting: readonly DiscoveredService[],
  overrides: Overrides,
  place: ApprovalPlace | undefined,
): Problem[] {
  const notes: Problem[] = [];
  const waits =
    place !== undefined && 'flag' in place
      ? `is left out, because approvals are read only with ${place.flag}, and not from the cluster`
      : 'waits for approval and is not published until then';
  for (const [namespace, all] of Map.groupBy(waiting, ({ service }) => displayNamespace(service))) {
    for (const found of all.slice(0, MAX_NOTES_PER_NAMESPACE)) {
      const key = displayKey(found.service);
      const tools = toolsInShort(found.verdict);
      const other = waitingReason(found, overrides);
      notes.push({
        where: `Service ${key}`,
        what: `${other === '' ? '' : `${other}, so it `}${waits} (${found.type}${tools === '' ? '' : `, ${tools}`})`,
        fix: `if you trust it: ${howToApprove(found, place)}`,
      });
    }
    const rest = all.length - MAX_NOTES_PER_NAMESPACE;
    if (rest > 0)
      notes.push({
        where: `namespace ${namespace}`,
        what: `${rest} more MCP ${rest === 1 ? 'server or annotated Service waits' : 'servers and annotated Services wait'} for approval, unpublished until then`,
        fix: 'see them with discover -o wide',
      });
  }
  return notes;
}

/** Whether overrides switch off a Service itself: approving it would not publish it. */
const isSwitchedOff = ({ service }: DiscoveredService, { tools }: Overrides): boolean =>
  service.cluster === HOME_CLUSTER &&
  [displayKey(service), defaultName(service)].some((key) => tools[key]?.enabled === false);

export interface Admitted {
  /** Services that may become tools. */
  readonly services: readonly DiscoveredService[];
  /** The overrides without approvals. */
  readonly overrides: Overrides;
  /** Services that wait for approval, sorted by namespace and name. */
  readonly waiting: readonly DiscoveredService[];
  /** These, and all other services that may not become tools. */
  readonly held: readonly DiscoveredService[];
  readonly notes: readonly Problem[];
}

/** Notes about approved servers with other tools, up to a maximum for each namespace. */
function otherToolsNotes(others: readonly DiscoveredService[], place: ApprovalPlace | undefined): Problem[] {
  return [...Map.groupBy(others, ({ service }) => displayNamespace(service)).values()].flatMap((all) =>
    all.slice(0, MAX_NOTES_PER_NAMESPACE).map((found) => ({
      where: `Service ${displayKey(found.service)}`,
      what: OTHER_TOOLS,
      fix: `to see and accept them: ${howToApprove(found, place)}`,
    })),
  );
}

/** Divides services into those that may become tools, and those that may not, or not yet. Pure. */
export function admit(
  found: readonly DiscoveredService[],
  policy: AdmissionPolicy,
  overrides: Overrides,
): Admitted {
  const services: DiscoveredService[] = [];
  const held: DiscoveredService[] = [];
  const waiting: DiscoveredService[] = [];
  const others: DiscoveredService[] = [];
  for (const service of found) {
    const admission = admissionOf(service, policy, overrides);
    if (isHeld(admission)) held.push(service);
    else services.push(withTrustedReadOnly(service, admission, overrides));
    if (admission.state === 'waiting' && !isSwitchedOff(service, overrides)) waiting.push(service);
    if (admission.state === 'approved' && offersOtherTools(service, overrides)) others.push(service);
  }
  waiting.sort((a, b) => compareKeys(serviceKey(a.service), serviceKey(b.service)));
  return {
    services,
    overrides: withoutApprovals(overrides),
    waiting,
    held,
    notes: [
      ...waitingNotes(waiting, overrides, policy.approvalPlace),
      ...otherToolsNotes(others, policy.approvalPlace),
    ],
  };
}
