/** A flag or variable that says where the program reads from. It cannot be set in a configuration file or ConfigMap. */
interface InputLocation {
  readonly env?: string;
  readonly flag?: string;
  readonly placeholder?: string;
  readonly defaultText: string;
  readonly description: string;
}

/** All of them, by their names in the command line parser. */
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
