/** What says where the program reads from; none of it can stand in a configuration. */
interface Place {
  readonly env?: string;
  readonly flag?: string;
  readonly placeholder?: string;
  readonly preset: string;
  readonly says: string;
}

/** All of them, by the name that the parser of the command line gives them. */
export const PLACES = {
  config: {
    env: 'CONFIG_FILE',
    flag: '--config',
    placeholder: 'file',
    preset: '',
    says: 'YAML configuration file',
  },
  detectors: {
    env: 'DETECTORS',
    flag: '--detectors',
    placeholder: 'folder',
    preset: '',
    says: 'folder with your own detectors; repeatable, or comma-separated in the variable',
  },
  kubeconfig: {
    env: 'KUBECONFIG',
    flag: '--kubeconfig',
    placeholder: 'file',
    preset: "~/.kube/config, otherwise the Pod's service account",
    says: 'kubeconfig file',
  },
  context: {
    flag: '--context',
    placeholder: 'name',
    preset: 'the current context',
    says: 'kubeconfig context',
  },
} as const satisfies Record<string, Place>;
