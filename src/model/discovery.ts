import type { BackendMember } from './backend-id.ts';
import type { Certainty, Mappings } from './detector.ts';
import { clusterField } from './key.ts';
import type { Service } from './service.ts';
import type { Tenancy } from './tenants.ts';
import { oneLine } from './text.ts';

/** One reason for a result: the signal, and the text of the Service that matched. */
export interface Evidence {
  readonly signal: Certainty | 'port' | 'role' | 'scheme' | 'path' | 'group';
  readonly detail: string;
}

/** The address of a backend. `path` is empty, or starts with a slash and does not end with one. */
export interface Endpoint {
  readonly scheme: 'http' | 'https' | 'tcp';
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/** The endpoint as a URL, for example `http://grafana.monitoring.svc.cluster.local:3000`. */
export function endpointUrl(endpoint: Endpoint): string {
  return `${endpoint.scheme}://${endpoint.host}:${endpoint.port}${endpoint.path}`;
}

/** A Service that a detector matched: one backend, before it is probed. */
export interface Candidate {
  readonly service: Service;
  readonly type: string;
  /** Type of the detector. It differs from `type` if the owner chose a type of their own. */
  readonly detector: string;
  /** Name of its tool: `SERVICE.NAMESPACE`, or a display name. Unique once names are assigned. */
  readonly tool: string;
  /** The display name that the owner of its entry point requests. It is not an identity. */
  readonly displayName?: string | undefined;
  /**
   * The display names that owners of any of its Services request, that of the entry point first. Those of the others count
   * only if the backend has one of them already, so that its name stays if its entry point changes.
   */
  readonly displayNames?: readonly string[];
  /** The detector's description of this kind of backend, in a sentence. */
  readonly kind: string;
  readonly description: string;
  /** Whether the description comes from the Service's annotations, so from a tenant. */
  readonly tenantDescription: boolean;
  readonly endpoint: Endpoint;
  /** The port of the Service. The endpoint of a headless Service has the port of its Pods instead. */
  readonly servicePort: number;
  /** The numbers of the product's ports, according to its detector. */
  readonly usualPorts?: readonly number[];
  /** The MCP transport, for MCP servers. */
  readonly mode: 'streamable-http' | 'sse';
  /** Health path from the owner's annotation, instead of the detector's. */
  readonly healthPath: string | undefined;
  readonly certainty: Certainty;
  readonly evidence: readonly Evidence[];
  /** Names of Services of the same namespace that lead to the same backend. */
  readonly alternates: readonly string[];
  /** Those of them that came after the entry point in use, and lead to other Pods. They take neither its place nor its name. */
  readonly newcomers?: readonly string[];
  /** All Services that lead to it, including this one. Absent if only their names are known. */
  readonly members?: readonly BackendMember[];
  /**
   * The members that lead to all Pods of this Service, so that trust in one of them covers these Pods. Empty if that is
   * unknown.
   */
  readonly samePods?: readonly string[];
  /**
   * Names of all Services of the namespace that share any Pods with this one, or did before a change, oldest first and
   * including this one. They may be Services whose owner opted out. Absent if there is no other. Candidates may share the
   * array.
   */
  readonly sharesPods?: readonly string[];
  /** The known addresses in its EndpointSlices. They change with its Pods. */
  readonly addresses?: readonly string[];
  /**
   * Other hosts that its ExternalName or its owner's annotation points to. Services are `SERVICE.NAMESPACE.svc`, and
   * include those that share Pods with them.
   */
  readonly targets?: readonly string[];
  /** The cluster IPs of this Service and of all Services of the same backend or Pods, by name. */
  readonly clusterIPs?: Readonly<Record<string, readonly string[]>>;
  /** A few other entry points of the same backend, best first. They are probed if this one does not respond. */
  readonly fallbacks: readonly Candidate[];
  /** How each output represents it. */
  readonly mappings: Mappings;
  /** Whether it is an MCP server. */
  readonly mcp?: boolean | undefined;
  /** The product that brings it for its own use. */
  readonly bundledWith?: string;
  /** How requests name a tenant. Absent if it has no tenants. */
  readonly tenancy?: Tenancy | undefined;
}

/** The alternates of a candidate that may take the place of its entry point. */
export function lastingAlternates({ alternates, newcomers = [] }: Candidate): readonly string[] {
  if (newcomers.length === 0) return alternates;
  const late = new Set(newcomers);
  return alternates.filter((name) => !late.has(name));
}

export type Health = 'healthy' | 'unhealthy' | 'unknown';

/** One request of a probe and its response, in readable form. */
export interface ProbeStep {
  readonly asked: string;
  readonly answered: string;
}

/** One tool of an MCP server, from its response to `tools/list`. */
export interface McpTool {
  readonly name: string;
  /** Whether the server annotates it with `readOnlyHint: true`. */
  readonly readOnly: boolean;
  /** Hash of the description, the parameters and the annotations. */
  readonly digest: string;
  /** Characters of all that is hashed, which each prompt of an agent contains. Absent if unknown. */
  readonly characters?: number;
  /** The texts with which it describes itself to a model, if the prober keeps them. Untrusted, with line breaks. */
  readonly texts?: readonly string[];
}

/**
 * Why a backend is unhealthy, if not because of its response:
 * `not_ready`: no address is ready, so it was not probed; `refused`: probes must not connect to its address;
 * `resolution`: its name does not resolve; `connection`: no connection; `tls`: the TLS handshake failed; `protocol`: the
 * response is invalid; `timeout`: it accepted the connection but did not respond in time.
 */
export type Fault = 'not_ready' | 'refused' | 'resolution' | 'connection' | 'tls' | 'protocol' | 'timeout';

/** What is wrong with a server's certificate for clients that verify it. */
export const CERTIFICATE_FAULTS = [
  'self-signed',
  'unknown authority',
  'expired',
  'not valid yet',
  'for another host',
  'invalid',
] as const;
export type CertificateFault = (typeof CERTIFICATE_FAULTS)[number];

/** The result of a probe. */
export interface Verdict {
  readonly health: Health;
  /** Whether it is alive and requires credentials. */
  readonly authRequired: boolean;
  /** Whether it rejects requests that name no tenant. Absent if that is unknown. */
  readonly tenantRequired?: boolean;
  /** The server's certificate, for clients that verify it. Absent without TLS, or if it is unknown. */
  readonly certificate?: 'trusted' | CertificateFault;
  /** The configured file with the authority that makes it trusted. Absent if the authorities of the system do. */
  readonly trustedWith?: string;
  /** The file with the client certificate that the server asked for and got. Absent if it did not ask, or there is none. */
  readonly presented?: string;
  /** `proven`: its responses prove its type; `unproven`: nothing contradicts it; `contradicted`: it is something else. */
  readonly proof: 'proven' | 'unproven' | 'contradicted';
  /** The detector whose proof held, if it differs from the candidate's. */
  readonly provenAs?: string;
  /** Base path of the proof, if it differs from the candidate's. */
  readonly path?: string;
  /** The MCP transport of the proof, if it differs from the candidate's. */
  readonly mode?: Candidate['mode'];
  /** Scheme of the proof, if it differs from the candidate's. */
  readonly scheme?: 'http' | 'https';
  /** Port of the backend, if it differs from the candidate's. */
  readonly port?: number;
  /** Facts that determine how an agent can use the backend. */
  readonly facts?: Readonly<Record<string, string>>;
  /** The tools of an MCP server. Absent if they are unknown. */
  readonly tools?: readonly McpTool[];
  /** Whether the server has more tools than `tools`. */
  readonly toolsTruncated?: boolean;
  /** Why `tools` is absent or incomplete, for people: a clause such as `page 2 of its list got status 500`. */
  readonly toolsGap?: string;
  readonly fault?: Fault;
  /** The first probe has not finished, so nothing is known yet. */
  readonly pending?: true;
  /** What would change the verdict, for people: a clause. */
  readonly fix?: string;
  /** One readable line: the request and the response. */
  readonly reason: string;
  readonly steps: readonly ProbeStep[];
}

/** Whether a backend failed, but is below the failure threshold. */
export const isKeptForNow = ({ reason }: Pick<Verdict, 'reason'>): boolean =>
  reason.startsWith('kept for now');

/** Whether a backend answered, but with nothing at any path that was requested, so that only a person can say where it is. */
export const isBlank = ({ health, proof, fault, fix }: Verdict): boolean =>
  health === 'unknown' && proof === 'unproven' && fault === undefined && fix !== undefined;

/**
 * The cause of a verdict, without details that differ between probes, such as times and texts of the backend. A verdict
 * with an unchanged cause is not worth a new log line.
 */
export function causeOf({ health, proof, fault, authRequired, tenantRequired, reason }: Verdict): string {
  const kept = isKeptForNow({ reason });
  const status = /\banswered (\d{3})/.exec(reason)?.[1];
  return [health, proof, fault ?? status ?? '', authRequired, tenantRequired ?? false, kept].join(' ');
}

/** A candidate with the verdict of its probe. */
export interface DiscoveredService extends Candidate {
  readonly verdict: Verdict;
}

/** A problem to report. It never stops the program. */
export interface Problem {
  /** A file with its line, a namespace, or a Service. */
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
}

/** A limit that leaves a Service out before it is probed. */
export interface ExceededLimit extends Problem {
  readonly fix: string;
  /** The key of the setting, and the value with which the limit leaves nothing out. */
  readonly setting: { readonly key: 'maxBackends' | 'maxNamespaceServices'; readonly enough: number };
}

/** The place of a problem of all probes: this program cannot reach any backend. */
export const OUTAGE_PLACE = 'probes';

/** Formats a problem as `where: what; fix`, on one line. */
export function problemLine(problem: Problem): string {
  return `${problem.where}: ${problem.what}${problem.fix === undefined ? '' : `; ${problem.fix}`}`;
}

/**
 * The approval of a discovered service. `open`: its kind needs no approval. `trusted`: `NAMESPACES` lists its namespace.
 * `approved`: by overrides. `published`: the policy publishes all. `waiting`: for approval. `refused`: by
 * overrides. `unknown`: the overrides cannot be read. `off`: the policy publishes none. `listed`: the agent's configuration
 * has it already.
 */
export const APPROVAL_STATES = [
  'open',
  'trusted',
  'approved',
  'published',
  'waiting',
  'refused',
  'unknown',
  'off',
  'listed',
] as const;

export interface Approval {
  readonly state: (typeof APPROVAL_STATES)[number];
  /** One readable line. Empty for `open`. */
  readonly reason: string;
}

/** Maximum length of an MCP tool's name in output, in characters. */
const MAX_TOOL_NAME = 128;

/** Maximum tools per server in a list of services. */
const MAX_LISTED_TOOLS = 32;

/** The JSON of a service, for `discover -o json` and the API. */
export function serviceJson(service: DiscoveredService, approval: Approval) {
  const { tools, toolsTruncated } = service.verdict;
  return {
    name: service.service.name,
    ...clusterField(service.service),
    namespace: service.service.namespace,
    type: service.type,
    endpoint: endpointUrl(service.endpoint),
    health: service.verdict.health,
    authRequired: service.verdict.authRequired,
    tenantRequired: service.verdict.tenantRequired === true,
    reason: service.verdict.reason,
    certainty: service.certainty,
    tool: service.tool,
    description: service.description,
    alternates: service.alternates,
    evidence: service.evidence,
    approval: approval.state,
    ...(tools === undefined
      ? {}
      : {
          tools: tools
            .slice(0, MAX_LISTED_TOOLS)
            .map(({ name, readOnly }) => ({ name: oneLine(name, MAX_TOOL_NAME), readOnly })),
          toolsTruncated: toolsTruncated === true || tools.length > MAX_LISTED_TOOLS,
        }),
  };
}
