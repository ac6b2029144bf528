/** How to reach the test cluster as its administrator. Plain data: it crosses from Vitest's process to a worker. */
export interface ClusterConnection {
  /** `https://127.0.0.1:<port>` */
  readonly server: string;
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
  /** The administrator's kubeconfig file (`system:masters`: RBAC does not bind it). */
  readonly kubeconfigPath: string;
  /** A folder only we can read, removed when the run ends; kubeconfig files are written into it. */
  readonly folder: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    cluster: ClusterConnection;
  }
}
