/** The keys of a ConfigMap in a volume: all keys, or the listed ones with their paths. */
export interface ConfigMapFiles {
  readonly name?: string;
  readonly items?: readonly { readonly key?: string; readonly path?: string }[];
}

export interface Mount {
  readonly name?: string;
  readonly mountPath?: string;
  readonly subPath?: string;
  readonly subPathExpr?: string;
}

/** The part of a `v1.PodSpec` that defines the files of its containers. */
export interface PodFiles {
  readonly volumes?: readonly {
    readonly name?: string;
    readonly configMap?: ConfigMapFiles;
    readonly projected?: { readonly sources?: readonly { readonly configMap?: ConfigMapFiles }[] };
  }[];
  readonly containers?: readonly {
    readonly env?: readonly { readonly name?: string; readonly value?: string }[];
    readonly volumeMounts?: readonly Mount[];
  }[];
}
