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
    says: 'configuration file in YAML',
  },
  detectors: {
    env: 'DETECTORS',
    flag: '--detectors',
    placeholder: 'folder',
    preset: '',
    says: 'a folder with detectors of your own; repeatable, and with commas between in the variable',
  },
  kubeconfig: {
    env: 'KUBECONFIG',
    flag: '--kubeconfig',
    placeholder: 'file',
    preset: "~/.kube/config, else the Pod's own credentials",
    says: 'kubeconfig of the cluster',
  },
  context: {
    flag: '--context',
    placeholder: 'name',
    preset: 'the current one',
    says: 'context of the kubeconfig',
  },
} as const satisfies Record<string, Place>;
