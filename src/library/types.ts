/**
 * The types of the library. They import nothing, so the package's declarations need no other types.
 */

type Texts = Readonly<Record<string, string | undefined>>;

type Time = string | Date | null;

/** Fields of an object that may have any others. A class of a Kubernetes client fits the first form, a literal the second one. */
type Fields<T> = T | (T & { readonly [field: string]: unknown });

type Metadata = Fields<{
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly labels?: Texts | undefined;
  readonly annotations?: Texts | undefined;
  readonly creationTimestamp?: Time | undefined;
  readonly deletionTimestamp?: Time | undefined;
}>;

type Port = Fields<{
  readonly name?: string | undefined;
  readonly port: number;
  readonly targetPort?: number | string | undefined;
  readonly protocol?: string | undefined;
  readonly appProtocol?: string | undefined;
}>;

type Spec = Fields<{
  readonly type?: string | undefined;
  readonly clusterIP?: string | undefined;
  readonly clusterIPs?: readonly string[] | undefined;
  readonly externalName?: string | undefined;
  readonly selector?: Texts | undefined;
  readonly ports?: readonly Port[] | undefined;
}>;

/**
 * A Kubernetes `v1` Service, as `kubectl get services -o json` prints it and the API server returns it. Only the fields
 * that detection reads are listed; an object may have any others.
 */
export type ServiceObject = Fields<{
  readonly apiVersion?: string | undefined;
  /** Objects of another kind are skipped. An object without a kind counts as a Service, as in a `ServiceList`. */
  readonly kind?: string | undefined;
  readonly metadata?: Metadata | undefined;
  readonly spec?: Spec | undefined;
}>;

/** A list of Services: the whole output of `kubectl get services -A -o json`. */
export type ServiceObjectList = Fields<{ readonly items: Iterable<ServiceObject> }>;

/**
 * How certain a detection is, most certain first. `annotation` is a declaration of the Service's owner, `operator` a label
 * that only an operator sets. The others say where the Service names the product.
 */
export type Certainty =
  | 'annotation'
  | 'operator'
  | 'component'
  | 'recommended'
  | 'label'
  | 'selector'
  | 'name';

/** One reason for a result. */
export interface Evidence {
  /** What the reason is about: how the product was recognized, or how the endpoint was chosen. */
  readonly signal: Certainty | 'hint' | 'port' | 'role' | 'scheme' | 'path' | 'group';
  /** A human-readable line. The wording may change in any release. */
  readonly detail: string;
}

/** One backend: a Service, or several Services of the same Pods, with its endpoint. */
export interface Backend {
  /** Name of the Service that is the entry point. */
  readonly name: string;
  readonly namespace: string;
  /** Name of its tool: `SERVICE.NAMESPACE`, or the display name that its owner requests. */
  readonly tool: string;
  /** Kind of backend, such as `prometheus` or `loki`: the type of its detector, or one that its owner chose. */
  readonly type: string;
  /** URL inside the cluster, such as `http://loki-gateway.monitoring.svc.cluster.local:80`. */
  readonly endpoint: string;
  readonly certainty: Certainty;
  readonly evidence: readonly Evidence[];
  /** Description in a sentence. It may come from the owner, so treat it as untrusted. */
  readonly description: string;
  /** Names of other Services of the namespace that lead to the same backend. */
  readonly alternates: readonly string[];
  /** `detect` does not probe, and sets `unknown`. `render` leaves out backends that you set to `unhealthy`. */
  readonly health: 'healthy' | 'unhealthy' | 'unknown';
  /** Further plain data that `render` needs. Pass it on unchanged; its content may change in any release. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A problem to report. It never stops detection or rendering. */
export interface Problem {
  /** What it is about, such as `Service monitoring/loki`. */
  readonly where: string;
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** The user's own inputs. Pass the same ones to `detect` and `render`. */
export interface Inputs {
  /**
   * The text of `overrides.yaml`. `detect` prefers the Services that it names as entry points, and reserves the names of
   * the tools in it. `render` applies it.
   */
  readonly overrides?: string | undefined;
  /** Texts of detector files, in addition to the built-in detectors. One with a built-in type replaces the built-in one. */
  readonly detectors?: readonly string[] | undefined;
}

/** Options of `detect`. */
export interface DetectOptions extends Inputs {
  /** DNS domain of the cluster. @default 'cluster.local' */
  readonly clusterDomain?: string | undefined;
  /** Namespace of objects without one. @default 'default' */
  readonly defaultNamespace?: string | undefined;
  /** Hosts, other than the Service itself, that an endpoint annotation may name. `*` matches any characters. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Consider Services of type ExternalName too. @default false */
  readonly allowExternalNames?: boolean | undefined;
}

/** Result of `detect`. */
export interface DetectResult {
  /** Sorted by namespace and name. */
  readonly backends: readonly Backend[];
  readonly problems: readonly Problem[];
}

/** Options of `render`. */
export interface RenderOptions extends Inputs {
  /** Version of HolmesGPT that `custom_toolset.yaml` is for, such as `0.45.0`. @default '0.32' */
  readonly holmesgptVersion?: string | undefined;
  /**
   * Policy for MCP servers, and for Services whose owner chose a type without a detector: `approve` publishes those that
   * `overrides` approves or whose namespace is in `namespaces`; `publish` all; `off` none. @default 'approve'
   */
  readonly mcpPolicy?: 'publish' | 'approve' | 'off' | undefined;
  /** Trusted namespaces; `*` trusts none. If a toolset accepts one backend only, earlier namespaces are preferred. */
  readonly namespaces?: readonly string[] | undefined;
}

/** Names of the documents. */
export type DocumentName = 'custom_toolset.yaml' | 'toolset.json';

/** Result of `render`. */
export interface RenderResult {
  /** The text of each document, by name. The result is deterministic, whatever the order of backends. */
  readonly documents: Readonly<Record<DocumentName, string>>;
  readonly problems: readonly Problem[];
  /** `namespace/name` of the Services that wait for approval. */
  readonly waiting: readonly string[];
}

/** An error at a position of a text. */
export interface Fault {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly message: string;
}
