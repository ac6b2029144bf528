/**
 * The types of the library. They import nothing, so the package's declarations need no other types.
 */

type Texts = Readonly<Record<string, string | undefined>>;

/**
 * A Kubernetes `v1` Service, as `kubectl get services -o json` prints it and the API server returns it. Only the fields
 * that detection reads are listed; an object may have any others.
 */
export interface ServiceObject {
  readonly apiVersion?: string | undefined;
  /** Objects of another kind are skipped. An object without a kind counts as a Service, as in a `ServiceList`. */
  readonly kind?: string | undefined;
  readonly metadata?:
    | {
        readonly name?: string | undefined;
        readonly namespace?: string | undefined;
        readonly labels?: Texts | undefined;
        readonly annotations?: Texts | undefined;
        readonly creationTimestamp?: string | Date | null | undefined;
      }
    | undefined;
  readonly spec?:
    | {
        readonly type?: string | undefined;
        readonly clusterIP?: string | undefined;
        readonly clusterIPs?: readonly string[] | undefined;
        readonly selector?: Texts | undefined;
        readonly ports?:
          | readonly {
              readonly name?: string | undefined;
              readonly port: number;
              readonly targetPort?: number | string | undefined;
              readonly protocol?: string | undefined;
              readonly appProtocol?: string | undefined;
            }[]
          | undefined;
      }
    | undefined;
}

/** A list of Services: the whole output of `kubectl get services -A -o json`. */
export interface ServiceObjectList {
  readonly items: Iterable<ServiceObject>;
}

/**
 * How sure detection is, the surest first: `annotation` is the word of the Service's owner, `operator` a label that only
 * an operator sets; the others name the place in the Service that names the product.
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
  /** What the reason is about: how the product was recognised, or how the endpoint was chosen. */
  readonly signal: Certainty | 'hint' | 'port' | 'role' | 'scheme' | 'path' | 'group';
  /** A line for a person. Its words may change in any release. */
  readonly detail: string;
}

/** One backend: a Service, or several that lead to the same Pods, and where it answers. */
export interface Backend {
  /** Name of the Service that is the way in. */
  readonly name: string;
  readonly namespace: string;
  /** Name of the tool that the backend becomes: `SERVICE.NAMESPACE`, or the name that its owner asks for. */
  readonly tool: string;
  /** Kind of backend, such as `prometheus` or `loki`: the type of its detector, or one that its owner named. */
  readonly type: string;
  /** URL inside the cluster, such as `http://loki-gateway.monitoring.svc.cluster.local:80`. */
  readonly endpoint: string;
  readonly certainty: Certainty;
  readonly evidence: readonly Evidence[];
  /** What it is, in a sentence. The text may be its owner's, so treat it as untrusted. */
  readonly description: string;
  /** Names of other Services of the namespace that lead to the same backend. */
  readonly alternates: readonly string[];
  /** `detect` asks nothing and says `unknown`. `render` leaves a backend out that you set to `unhealthy`. */
  readonly health: 'healthy' | 'unhealthy' | 'unknown';
  /** What `render` needs beside that, as plain data. Pass it on; what is in it may change in any release. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Something that a person should know; never a reason to stop. */
export interface Problem {
  /** What it is about, such as `Service monitoring/loki`. */
  readonly where: string;
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

/** What people bring to detection and rendering. Pass the same to `detect` and `render`. */
export interface Inputs {
  /**
   * The text of `overrides.yaml`. `detect` prefers the Services that it names, and leaves the names that it uses to the
   * tools in it; `render` applies it.
   */
  readonly overrides?: string | undefined;
  /** Texts of detector files, beside the built-in detectors. A detector of a built-in type replaces the built-in one. */
  readonly detectors?: readonly string[] | undefined;
}

/** Options of `detect`. */
export interface DetectOptions extends Inputs {
  /** DNS domain of the cluster. @default 'cluster.local' */
  readonly clusterDomain?: string | undefined;
  /** Namespace of objects that name none. @default 'default' */
  readonly defaultNamespace?: string | undefined;
  /** Hosts that an endpoint annotation may name beside its own Service; `*` stands for any run of characters. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Consider Services of type ExternalName too. @default false */
  readonly allowExternalNames?: boolean | undefined;
}

/** Result of `detect`. */
export interface DetectResult {
  /** In the order of namespace and name. */
  readonly backends: readonly Backend[];
  readonly problems: readonly Problem[];
}

/** Options of `render`. */
export interface RenderOptions extends Inputs {
  /** Version of HolmesGPT that `custom_toolset.yaml` is for, such as `0.45.0`. @default '0.32' */
  readonly holmesgptVersion?: string | undefined;
  /**
   * What becomes of MCP servers, and of Services whose owner names a type that no detector knows: `approve` publishes
   * those that `overrides` approve or whose namespace is in `namespaces`; `publish` all; `off` none. @default 'approve'
   */
  readonly mcpPolicy?: 'publish' | 'approve' | 'off' | undefined;
  /** Namespaces that you trust; the first comes first where a toolset takes one backend only. */
  readonly namespaces?: readonly string[] | undefined;
}

/** Names of the documents. */
export type DocumentName = 'custom_toolset.yaml' | 'toolset.json';

/** Result of `render`. */
export interface RenderResult {
  /** The text of each document by name. The same input gives the same bytes, in any order of the backends. */
  readonly documents: Readonly<Record<DocumentName, string>>;
  readonly problems: readonly Problem[];
  /** `namespace/name` of the Services that a person must approve before they are in the documents. */
  readonly waiting: readonly string[];
}

/** A place in a text and what is wrong there. */
export interface Fault {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly message: string;
}
