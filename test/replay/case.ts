import type { ServiceSpec } from '../cluster/services.ts';
import type { Handler } from './answers.ts';

/** A container's port, and what listens there. */
export interface PodPort {
  readonly number: number;
  /** The name of the container port, to which a Service's `targetPort` may refer. */
  readonly name?: string;
  /** Without, the connection is refused. */
  readonly serves?: Handler;
  /** Its certificate; without, it speaks no TLS. That of a `known` authority is the only one to trust. */
  readonly tls?: 'known' | 'private' | 'self-signed' | 'expired' | 'other-host';
}

/** A Pod with what its containers answer. */
export interface Pod {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports: readonly PodPort[];
  /** `false`: its readiness probe fails. */
  readonly ready?: boolean;
}

/** A Service as the chart, operator or manifest of a product makes it. */
export interface CaseService extends ServiceSpec {
  /** Instead of a selector: the Pods in Endpoints that somebody else writes. */
  readonly pods?: readonly string[];
}

/** What discovery must say of a backend. */
export interface Finding {
  /** Type, scheme, port and base path: `prometheus http:9090/prom`. */
  readonly is: string;
  /** The reason of the condition Proven; default `AnsweredAsExpected`. */
  readonly proven?: string;
  /** The reason of the condition Healthy; default `ProbeSucceeded`. */
  readonly healthy?: string;
  /** The reason of the condition Published; default `InToolset`. */
  readonly published?: string;
  /** The reason of the condition TenantKnown; default: it has none. */
  readonly tenant?: string;
  /** The reason of the condition Trusted if it is probed directly; default: it has none. */
  readonly trusted?: string;
  /** Other Services of the same backend, in any order; default: none. */
  readonly also?: readonly string[];
  /** What its description and the reasons of its conditions must contain. */
  readonly says?: readonly (string | RegExp)[];
}

/** What is true of a case, whatever the program says. */
export interface Truth {
  /** The backends by their entry point, and no others. */
  readonly found: Readonly<Record<string, Finding>>;
  /**
   * What HolmesGPT's document has, in its order: `grafana/loki http://SERVICE:3100 tenant=team-a`; of a toolset of the
   * type http, with its first path; and of MCP servers `mcp/streamable-http http://SERVICE:8000/mcp`.
   */
  readonly holmes: readonly string[];
  /** Texts that the warnings about its Services must contain. */
  readonly warns?: readonly (string | RegExp)[];
  /** By Service: what `explain` must advise. */
  readonly advice?: Readonly<Record<string, readonly (string | RegExp)[]>>;
}

/** Settings of the configuration file. `NS` in keys and values is replaced with the namespace of the case. */
export interface CaseSettings {
  readonly detectors?: Readonly<Record<string, object>>;
  readonly tenants?: Readonly<Record<string, string | readonly string[]>>;
  readonly credentials?: Readonly<Record<string, object>>;
}

/** An installation of a product, as its users run it. */
export interface Case {
  /** What it shows, in a few words. */
  readonly name: string;
  /** Where the facts are documented. */
  readonly source: string;
  /** The namespace; default: a neutral one. No two cases have the same. */
  readonly namespace?: string;
  readonly services: readonly CaseService[];
  readonly pods: readonly Pod[];
  readonly settings?: CaseSettings;
  /** Its settings are for all backends of a type, so it is discovered with others of this kind only. */
  readonly byType?: boolean;
  readonly truth: Truth;
  /** Where the route through the API server shows something else, for a reason that the documentation names. */
  readonly throughProxy?: Partial<Truth>;
}

/** One kind of fault, with its cases. */
export interface Kind {
  readonly title: string;
  readonly cases: readonly Case[];
}

/** A port of a Service: its name, number, and where it leads. */
export const port = (name: string, number: number, targetPort?: number | string, appProtocol?: string) => ({
  name,
  port: number,
  ...(targetPort === undefined ? {} : { targetPort }),
  ...(appProtocol === undefined ? {} : { appProtocol }),
});

/** The recommended labels of a chart. */
export const labels = (
  name: string,
  instance: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/instance': instance,
  ...more,
});
