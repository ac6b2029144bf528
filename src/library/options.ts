import * as z from 'zod';
import { SETTINGS } from '../config/setting-table.ts';
import { Fault, type Form, namespaceName } from '../config/setting-texts.ts';
import { isMapping } from '../model/mapping.ts';
import { nearest } from '../model/nearest.ts';
import { shown } from '../model/visible.ts';
import { itemsOf, readAs, reading } from './reading.ts';

/** Maximum items in the list of an option. */
const MAX_TEXTS = 10_000;

/** A text with the rules of a setting of the program. */
const settingOf = <T>({ read }: Pick<Form<T>, 'read'>) =>
  z.string().transform((text, context): T => {
    const value = read(text);
    if (!(value instanceof Fault)) return value;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(shown(text))} ${value.what}` });
    return z.NEVER;
  });

const listOf = <T>(item: z.ZodType<T>) => z.array(item).max(MAX_TEXTS).default([]);

/** In the program, `*` stands for all namespaces, and trusts none of them. */
const trusted = { read: (text: string) => (text === '*' ? text : namespaceName.read(text)) };

/** The message about options that do not exist. */
function unknownOptions(given: readonly string[]): string {
  const [first = '', ...others] = given;
  const known = Object.keys(options.shape);
  const meant = others.length === 0 ? nearest(first, known) : undefined;
  const names = given.slice(0, 5).map(shown).join(', ');
  const start = meant === undefined ? 'the' : `did you mean ${meant}? The`;
  return `there is no option ${names}; ${start} options are ${known.join(', ')}`;
}

/** The options of both functions, which may share one object. */
const options = z.strictObject(
  {
    overrides: z.string().optional(),
    detectors: listOf(z.string()),
    clusterDomain: settingOf(SETTINGS.clusterDomain.form).default(SETTINGS.clusterDomain.defaultValue),
    defaultNamespace: settingOf(namespaceName).default('default'),
    allowedHosts: listOf(settingOf(SETTINGS.allowedHosts.form)),
    allowExternalNames: z.boolean().default(false),
    holmesgptVersion: settingOf(SETTINGS.holmesgptVersion.form).default(
      SETTINGS.holmesgptVersion.defaultValue,
    ),
    mcpPolicy: settingOf(SETTINGS.mcpPolicy.form).default(SETTINGS.mcpPolicy.defaultValue),
    namespaces: listOf(settingOf(trusted)),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? unknownOptions(issue.keys) : undefined) },
);

export type Options = z.infer<typeof options>;

/** Reads each option once. @throws InputError that names each option that does not exist or is invalid */
export function readOptions(given: unknown): Options {
  const names = reading('options', () => (isMapping(given) ? Object.keys(given) : []));
  const copied = names.map((name) => {
    const read = (): unknown => {
      const value = (given as Record<string, unknown>)[name];
      return Array.isArray(value) ? itemsOf(value, MAX_TEXTS) : value;
    };
    return [name, reading(`options.${shown(name)}`, read, name)] as const;
  });
  return readAs(options, isMapping(given) ? Object.fromEntries(copied) : given, 'options', ([name]) =>
    String(name ?? 'options'),
  );
}
