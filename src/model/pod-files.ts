/** What a volume takes of a ConfigMap: all keys, or those listed, each under a path. */
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

/** What of a `v1.PodSpec` says where the files of its containers come from. */
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
