import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import * as z from 'zod';
import { builtInDetectors } from '../config/detector-files.ts';
import { configFileSchema } from '../config/file.ts';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { Fault } from '../config/setting-texts.ts';
import { roleFault } from '../detection/rules.ts';
import { ConfigError } from '../model/errors.ts';
import { overridesSchema } from '../model/overrides.ts';
import { keysAt } from '../model/schema-keys.ts';
import { unreadable } from '../model/unreadable.ts';
import { FILE } from '../model/yaml-document.ts';
import { readYaml } from '../model/yaml-text.ts';
import { checkText } from '../outputs/check-text.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';
import { asFaults, type ContentFaults } from '../outputs/faults.ts';
import { toolsetJsonSchema } from '../outputs/toolset-json/toolset-json.ts';
import { FILE_KINDS, type FileKind } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';

/** Every fault and warning of a text. */
type Check = (text: string) => ContentFaults;

/** The check of what has a schema and nothing more. */
const by =
  (schema: z.ZodType<unknown>): Check =>
  (text) =>
    asFaults(readYaml(text, schema));

const as =
  (kind: string): Check =>
  (text) =>
    checkText(kind, text, FILE);

/** A configuration file whose settings have values that the program takes. */
const checkedConfig = configFileSchema.superRefine((config, context) => {
  for (const name of SETTING_NAMES) {
    const text = config[name];
    const value = text === undefined ? undefined : SETTINGS[name].form.read(text);
    if (value instanceof Fault) context.addIssue({ code: 'custom', path: [name], message: value.what });
  }
});

/** A detector that speaks of roles that the vocabulary has. */
const checkedDetector = detectorSchema.superRefine((detector, context) => {
  const message = roleFault(detector, builtInDetectors().vocabulary);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** Kinds of files, with their check, and how one is told from the others by its name or by the keys in it. */
const KINDS: Readonly<
  Record<FileKind, { readonly faults: Check; readonly name: RegExp; readonly keys: readonly string[] }>
> = {
  overrides: { faults: as('overrides'), name: /overrides\.ya?ml$/, keys: keysAt(overridesSchema, []) },
  'toolset-json': { faults: as('toolset-json'), name: /\.json$/, keys: keysAt(toolsetJsonSchema, []) },
  holmesgpt: { faults: as('holmesgpt'), name: /toolsets?\.ya?ml$/, keys: ['toolsets', 'mcp_servers'] },
  config: { faults: by(checkedConfig), name: /config\.ya?ml$/, keys: keysAt(configFileSchema, []) },
  detector: {
    faults: by(checkedDetector),
    name: /(^|\/)detectors\/[^/]*\.ya?ml$/,
    keys: keysAt(detectorSchema, []),
  },
};

export interface ValidateFlags {
  readonly kind?: FileKind;
  readonly quiet?: boolean;
}

/** What a file is, by its name; else the kind of file that may have most of the keys in it, if that is one. */
function kindOf(path: string, content: unknown): FileKind | undefined {
  const named = FILE_KINDS.find((kind) => KINDS[kind].name.test(path));
  if (named !== undefined || typeof content !== 'object' || content === null) return named;
  const own = new Set(Object.keys(content));
  const known = FILE_KINDS.map((kind) => KINDS[kind].keys.filter((key) => own.has(key)).length);
  const most = Math.max(...known);
  return most > 0 && known.indexOf(most) === known.lastIndexOf(most)
    ? FILE_KINDS[known.indexOf(most)]
    : undefined;
}

/** The text of a file, or of standard input. @throws UserError where there is none */
async function textOf(path: string, stdin: NodeJS.ReadableStream): Promise<string> {
  try {
    return path === '-' ? await readAll(stdin) : await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${unreadable(error)}; name files, or - for standard input`, {
      cause: error,
    });
  }
}

/** What a text holds, or why it is no YAML at all. */
function contentOf(text: string): ContentFaults & { readonly content?: unknown } {
  const read = readYaml(text, z.unknown());
  return 'value' in read ? { ...asFaults(read), content: read.value } : asFaults(read);
}

/** `validate`: every fault and warning in files, with line and column. @returns the exit code: 1 if there is a fault */
export async function validateCommand(
  paths: readonly string[],
  flags: ValidateFlags,
  run: CliContext,
): Promise<number> {
  let faulty = false;
  for (const path of paths) {
    const text = await textOf(path, run.stdin);
    const plain = contentOf(text);
    const kind = flags.kind ?? kindOf(path, plain.content);
    if (kind === undefined && plain.faults.length === 0)
      throw new ConfigError(
        `cannot tell what ${path} is from its name and keys; set --kind (${FILE_KINDS.join(', ')})`,
      );
    const { faults, more, refused } = kind === undefined ? plain : KINDS[kind].faults(text);
    if (refused) faulty = true;
    for (const { line, column, message, level } of faults)
      run.output.result.write(
        `${path}:${line}:${column}: ${level === 'warning' ? 'warning: ' : ''}${message}\n`,
      );
    if (more > 0) run.output.result.write(`${path}: and ${more} more\n`);
    if (faults.length === 0) run.output.messages.write(`${path}: fine (${kind})\n`);
  }
  return faulty ? EXIT.findings : EXIT.ok;
}
