import { Fault, type Form, flag } from './setting-texts.ts';

/** The settings that belong together, and the commands that take their flags. */
export const GROUPS = {
  input: { title: 'Input', commands: ['discover', 'explain', 'generate', 'serve', 'diff'] },
  probing: { title: 'Probing', commands: ['discover', 'explain', 'approve', 'generate', 'serve', 'diff'] },
  limits: { title: 'Limits', commands: ['discover', 'explain', 'generate', 'serve', 'diff'] },
  document: { title: 'Documents', commands: ['generate', 'serve', 'diff'] },
  configMap: {
    title: 'ConfigMap',
    commands: ['discover', 'explain', 'approve', 'generate', 'serve', 'diff', 'history', 'rollback'],
  },
  stored: { title: 'Stored settings', commands: ['discover', 'explain', 'generate', 'serve', 'diff'] },
  publishing: { title: 'Publishing', commands: ['serve'] },
  holmesgpt: { title: 'HolmesGPT', commands: ['serve'] },
  servers: { title: 'API and metrics', commands: ['serve'] },
  process: { title: 'Logging and shutdown', commands: ['serve'] },
} as const;
export type SettingGroup = keyof typeof GROUPS;

/** Documentation of a setting. */
interface About {
  readonly group: SettingGroup;
  readonly env: string;
  readonly flag: string;
  /** The flag's letter, such as `-n`. */
  readonly letter?: string;
  /** Description in the help. */
  readonly description: string;
  /** Locates the settings ConfigMap, so it cannot be set there, and changes only with a restart. */
  readonly bootstrapOnly?: true;
}

/** A setting: its format, default and documentation. */
export interface Setting<T> extends About {
  readonly form: Form<T>;
  readonly defaultValue: T;
  /** The default in the help; empty if there is none. */
  readonly defaultText: string;
}

/** A setting with a default, which is written as a user would write it. */
export function setting<T>(form: Form<T>, defaultText: string, about: About): Setting<T> {
  const defaultValue = form.read(defaultText);
  if (defaultValue instanceof Fault)
    throw new Error(`${about.flag}: its default "${defaultText}" ${defaultValue.what}`);
  return { ...about, form, defaultValue, defaultText };
}

/** A setting that may be missing. @param defaultText what that means, for the help */
export const optional = <T>(form: Form<T>, defaultText: string, about: About): Setting<T | undefined> => ({
  ...about,
  form,
  defaultValue: undefined,
  defaultText,
});

/** A flag that turns something on takes no value; one of something that is on unless it is turned off takes one. */
export const isSwitch = ({ form, defaultText }: Setting<unknown>): boolean =>
  form.placeholder === flag.placeholder && defaultText === 'false';
