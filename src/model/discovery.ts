import type { BackendMember } from './backend-id.ts';
import type { Certainty, Mappings } from './detector.ts';
import { clusterField } from './key.ts';
import type { Service } from './service.ts';
import { oneLine } from './text.ts';

/** One reason for a verdict: which signal said it, and the words of the Service that matched. */
export interface Evidence {
  readonly signal: Certainty | 'port' | 'role' | 'scheme' | 'path' | 'group';
  readonly detail: string;
}

/** Where a backend answers. `path` is empty or starts with a slash and has none at its end. */
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

/** A Service that a detector matched: one backend, before anything was sent to it. */
export interface Candidate {
  readonly service: Service;
  readonly type: string;
  /** Type of the detector that describes it; another than `type` where its owner named a type of their own. */
  readonly detector: string;
  /** Name of the tool it becomes: `SERVICE.NAMESPACE`, or a display name; unique once names were assigned. */
  readonly tool: string;
  /** Names for display that owners of its Services ask for, the chosen Service's first. They identify nothing. */
  readonly displayNames?: readonly string[];
  /** What the detector says of this kind of backend, in a sentence. */
  readonly kind: string;
  readonly description: string;
  /** The text of the description comes from the Service's annotations, so from a tenant. */
  readonly tenantDescription: boolean;
  readonly endpoint: Endpoint;
  /** The Service's own port that leads there; a headless Service's endpoint has the Pods' port instead. */
  readonly servicePort: number;
  /** How MCP is spoken at the endpoint, where it is. */
  readonly mode: 'streamable-http' | 'sse';
  /** Health path that its owner named, in place of the detector's. */
  readonly healthPath: string | undefined;
  readonly certainty: Certainty;
  readonly evidence: readonly Evidence[];
  /** Names of Services of the same namespace that lead to the same backend. */
  readonly alternates: readonly string[];
  /** All Services that lead to it, this one included; absent where only their names are known. */
  readonly members?: readonly BackendMember[];
  /**
   * Those of them that lead to every Pod that this Service leads to: who trusts one of them with something trusts this
   * one's Pods with it. None where that is not known.
   */
  readonly samePods?: readonly string[];
  /**
   * Names of all Services of the namespace that lead to the Pods of this one, to some of them, or to these and more, or did
   * before they were changed, the oldest first, this one included. They need not be backends: their owner may have opted out.
   * Absent where there is no other. Many Services may have the same array.
   */
  readonly sharesPods?: readonly string[];
  /** The addresses in its EndpointSlices, as far as they are known. They change with its Pods. */
  readonly addresses?: readonly string[];
  /**
   * Hosts beyond its own Service that it leads to, by its ExternalName or its owner's annotation; Services as
   * `SERVICE.NAMESPACE.svc`, with those that share Pods with them.
   */
  readonly targets?: readonly string[];
  /** The cluster IPs of this Service and of those that lead to the same backend or to its Pods, by name. */
  readonly clusterIPs?: Readonly<Record<string, readonly string[]>>;
  /** Other ways into the same backend, the best first: what is asked where this one does not answer. A few at most. */
  readonly fallbacks: readonly Candidate[];
  /** How it appears in each output. */
  readonly mappings: Mappings;
  /** It is an MCP server. */
  readonly mcp?: boolean | undefined;
}

export type Health = 'healthy' | 'unhealthy' | 'unknown';

/** One request of a probe and what came back, for a person. */
export interface ProbeStep {
  readonly asked: string;
  readonly answered: string;
}

/** One tool that an MCP server offers, from its answer to `tools/list`. */
export interface McpTool {
  readonly name: string;
  /** The server annotates it with `readOnlyHint: true`. */
  readonly readOnly: boolean;
  /** Changes whenever the description, the parameters or the annotations do. */
  readonly digest: string;
}

/**
 * Why a backend is unhealthy, where that is not what it answered:
 * `not_ready`: none of its addresses is ready, so it was not asked; `refused`: its address is one that probes must not go
 * to; `resolution`: its name does not resolve; `connection`: no connection to it; `tls`: no TLS with it; `protocol`: what it
 * sent is no answer; `timeout`: no answer in time, though it took the connection.
 */
export type Fault = 'not_ready' | 'refused' | 'resolution' | 'connection' | 'tls' | 'protocol' | 'timeout';

/** What a probe found. */
export interface Verdict {
  readonly health: Health;
  /** It is alive, and wants credentials for more. */
  readonly authRequired: boolean;
  /** `proven` by its answers; `unproven`: nothing spoke against it; `contradicted`: it is not what it looks like. */
  readonly proof: 'proven' | 'unproven' | 'contradicted';
  /** The detector whose proof held, where that is another than the candidate's. */
  readonly provenAs?: string;
  /** Base path at which it was proven, where that is another than the candidate's. */
  readonly path?: string;
  /** Scheme with which it was proven, where that is another than the candidate's. */
  readonly scheme?: 'http' | 'https';
  /** Port at which it is reached, where that is another than the candidate's. */
  readonly port?: number;
  /** Facts about the backend that decide how an agent may use it. */
  readonly facts?: Readonly<Record<string, string>>;
  /** The tools of an MCP server; absent where it was not asked, or did not say. */
  readonly tools?: readonly McpTool[];
  /** The server offers more tools than `tools` holds. */
  readonly toolsTruncated?: boolean;
  readonly fault?: Fault;
  /** It was not asked to the end yet, and nothing is known of it. */
  readonly pending?: true;
  /** One line for a person: what was asked and what came back. */
  readonly reason: string;
  readonly steps: readonly ProbeStep[];
}

/** Whether a backend failed, and not often enough in a row to be unhealthy. */
export const isKeptForNow = ({ reason }: Pick<Verdict, 'reason'>): boolean =>
  reason.startsWith('kept for now');

/**
 * What a verdict comes to, without what differs from one probe to the next, such as times and texts of the backend: two
 * verdicts with one cause tell a person nothing new.
 */
export function causeOf({ health, proof, fault, authRequired, reason }: Verdict): string {
  const kept = isKeptForNow({ reason });
  const status = /\banswered (\d{3})/.exec(reason)?.[1];
  return [health, proof, fault ?? status ?? '', authRequired, kept].join(' ');
}

/** A candidate together with its health. */
export interface DiscoveredService extends Candidate {
  readonly verdict: Verdict;
}

/** Something that a person should know and can do something about; never a reason to stop. */
export interface Problem {
  /** A file with its line, a namespace, or a Service. */
  readonly where: string;
  readonly what: string;
  readonly fix?: string;
}

/** `where: what; fix`, on one line. */
export function problemLine(problem: Problem): string {
  return `${problem.where}: ${problem.what}${problem.fix === undefined ? '' : `; ${problem.fix}`}`;
}

/**
 * Whether a discovered service becomes a tool, as far as that is a matter of trust. `open`: its kind needs nobody's
 * approval. `trusted`: its namespace is listed by name. `approved`: a person did. `published`: all are. `waiting`: it is
 * published once a person approves it. `off`: none of its kind is published. `listed`: the agent has it already.
 */
export const APPROVAL_STATES = [
  'open',
  'trusted',
  'approved',
  'published',
  'waiting',
  'off',
  'listed',
] as const;

export interface Approval {
  readonly state: (typeof APPROVAL_STATES)[number];
  /** One line for a person; empty for `open`. */
  readonly reason: string;
}

/** Longest name of an MCP server's tool that is shown, in characters. */
const LONGEST_TOOL = 128;

/** Most tools of one server in a list of services. */
const MOST_LISTED = 32;

/** What `discover -o json` and the API say of one service. */
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
            .slice(0, MOST_LISTED)
            .map(({ name, readOnly }) => ({ name: oneLine(name, LONGEST_TOOL), readOnly })),
          toolsTruncated: toolsTruncated === true || tools.length > MOST_LISTED,
        }),
  };
}
