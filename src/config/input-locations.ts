/** What says where the program reads from; none of it can stand in a configuration. */
interface InputLocation {
  readonly env?: string;
  readonly flag?: string;
  readonly placeholder?: string;
  readonly defaultText: string;
  readonly description: string;
}

/** All of them, by the name that the parser of the command line gives them. */
export const INPUT_LOCATIONS = {
  config: {
    env: 'CONFIG_FILE',
    flag: '--config',
    placeholder: 'file',
    defaultText: '',
    description: 'YAML configuration file',
  },
  detectors: {
    env: 'DETECTORS',
    flag: '--detectors',
    placeholder: 'folder',
    defaultText: '',
    description: 'folder with your own detectors; repeatable, or comma-separated in the variable',
  },
  kubeconfig: {
    env: 'KUBECONFIG',
    flag: '--kubeconfig',
    placeholder: 'file',
    defaultText: "~/.kube/config, otherwise the Pod's service account",
    description: 'kubeconfig file',
  },
  context: {
    flag: '--context',
    placeholder: 'name',
    defaultText: 'the current context',
    description: 'kubeconfig context',
  },
} as const satisfies Record<string, InputLocation>;
