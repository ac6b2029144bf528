import * as z from 'zod';
import { builtInDetectors } from '../config/detector-files.ts';
import { configFileSchema } from '../config/file.ts';
import { EncodingError, FileLimitError } from '../files/read-text.ts';
import { ConfigError } from '../model/errors.ts';
import { isMapping } from '../model/mapping.ts';
import { OUTPUT_IDS } from '../model/output-ids.ts';
import { keysAt } from '../model/schema-keys.ts';
import { LARGE, SMALL, type YamlLimits } from '../model/yaml-document.ts';
import { type Fault, readYaml } from '../model/yaml-text.ts';
import { checkText } from '../outputs/check-text.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';
import { asFaults, type ContentFaults } from '../outputs/faults.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { ALL_OUTPUTS } from '../outputs/registry.ts';
import { checkConfig } from './check-config.ts';
import { checkDetector } from './check-detector.ts';
import { FILE_KINDS, type FileKind } from './choices.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { readInput } from './read-input.ts';

/** Finds all faults and warnings in a text. */
type Check = (text: string) => ContentFaults;

/** A check with the limits of the cluster, so that `serve` refuses nothing that `validate` accepts. */
const textCheck =
  (kind: string, limits: YamlLimits): Check =>
  (text) =>
    checkText(kind, text, limits);

/** A kind of file: how to check it, and how to recognize it by file name or top-level keys. */
interface Kind {
  readonly faults: Check;
  readonly name: RegExp;
  readonly keys: readonly string[];
}

/** The document of an output. */
function documentOf(output: string): Kind {
  const file = ALL_OUTPUTS.find(({ id }) => id === output)?.documents[0]?.file;
  return { faults: textCheck(output, LARGE), name: file?.path ?? /^$/, keys: file?.keys ?? [] };
}

const DOCUMENTS = Object.fromEntries(OUTPUT_IDS.map((id) => [id, documentOf(id)])) as Record<
  (typeof OUTPUT_IDS)[number],
  Kind
>;

const KINDS: Readonly<Record<FileKind, Kind>> = {
  overrides: {
    faults: (text) =>
      checkText(
        'overrides',
        text,
        SMALL,
        builtInDetectors().detectors.map(({ type }) => type),
      ),
    name: /overrides\.ya?ml$/,
    keys: keysAt(overridesSchema, []),
  },
  ...DOCUMENTS,
  config: { faults: checkConfig, name: /config\.ya?ml$/, keys: keysAt(configFileSchema, []) },
  detector: {
    faults: checkDetector,
    name: /(^|\/)detectors\/[^/]*\.ya?ml$/,
    keys: keysAt(detectorSchema, []),
  },
};

export interface ValidateFlags {
  readonly kind?: FileKind;
  readonly quiet?: boolean;
}

/** The kind of a file by its name. */
const kindByName = (path: string): FileKind | undefined =>
  FILE_KINDS.find((kind) => KINDS[kind].name.test(path));

/** Guesses the kind of a file from its keys. `undefined` if several kinds fit equally well. */
function kindByKeys(content: unknown): FileKind | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  const own = new Set(Object.keys(content));
  const known = FILE_KINDS.map((kind) => KINDS[kind].keys.filter((key) => own.has(key)).length);
  const most = Math.max(...known);
  return most > 0 && known.indexOf(most) === known.lastIndexOf(most)
    ? FILE_KINDS[known.indexOf(most)]
    : undefined;
}

/** What a text says, or its syntax errors. */
interface Content extends ContentFaults {
  readonly content?: unknown;
}

/** Parses a text as YAML. Returns its content, or its syntax errors. */
function parseContent(text: string): Content {
  const read = readYaml(text, z.unknown(), { limits: LARGE });
  return 'value' in read ? { ...asFaults(read), content: read.value } : asFaults(read);
}

/** Reads a file, or finds what in its content keeps it from being read. @throws ConfigError; AbortError */
async function readContent(path: string, cli: CliContext): Promise<string | ContentFaults> {
  try {
    return await readInput(path, { fix: 'name files, or - for standard input' }, cli);
  } catch (error) {
    const fault = faultOf((error as Error).cause);
    if (fault === undefined) throw error;
    return asFaults({ faults: [fault], more: 0 });
  }
}

/** The fault in the content of a file that could not be read because of it. */
function faultOf(cause: unknown): Fault | undefined {
  if (cause instanceof EncodingError) return { ...cause.place, message: `${cause.message}; ${cause.fix}` };
  if (cause instanceof FileLimitError) return { line: 1, column: 1, message: `${cause.message}; shorten it` };
  return undefined;
}

/** The faults and warnings in a file of a kind. */
interface Checked extends ContentFaults {
  readonly kind?: FileKind;
}

/** Finds all faults and warnings in a text, with the kind of its file. @throws ConfigError if the kind is unknown */
function checkContent(text: string, path: string, given: FileKind | undefined): Checked {
  const known = given ?? kindByName(path);
  const plain: Content = known === undefined ? parseContent(text) : asFaults({});
  const kind = known ?? kindByKeys(plain.content);
  if (kind !== undefined) return { ...KINDS[kind].faults(text), kind };
  if (plain.faults.length > 0) return plain;
  if (isMapping(plain.content) && plain.content.kind === 'ConfigMap')
    throw new ConfigError(
      `${path} is a ConfigMap; save one of the documents in its data to a file, and validate that`,
    );
  throw new ConfigError(
    `cannot tell what ${path} is from its name and keys; set --kind (${FILE_KINDS.join(', ')})`,
  );
}

/** `validate`: prints all faults and warnings with line and column. @returns the exit code: 1 if there is a fault */
export async function validateCommand(
  paths: readonly string[],
  flags: ValidateFlags,
  cli: CliContext,
): Promise<number> {
  let faulty = false;
  for (const path of paths) {
    const text = await readContent(path, cli);
    const { faults, more, refused, kind }: Checked =
      typeof text === 'string' ? checkContent(text, path, flags.kind) : text;
    if (refused) faulty = true;
    for (const { line, column, message, level } of faults)
      cli.output.result.write(
        `${path}:${line}:${column}: ${level === 'warning' ? 'warning: ' : ''}${message}\n`,
      );
    if (more > 0) cli.output.result.write(`${path}: and ${more} more\n`);
    if (refused && kind !== undefined && flags.kind === undefined)
      cli.output.messages.write(`${path}: checked as ${kind}; choose another kind with --kind\n`);
    if (faults.length === 0) cli.output.messages.write(`${path}: valid (${kind})\n`);
  }
  return faulty ? EXIT.findings : EXIT.ok;
}
