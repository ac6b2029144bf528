import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { z } from 'zod';
import { configFileSchema } from '../config/file.ts';
import { mergedHolmesSchema } from '../generate/holmes-schema.ts';
import { toolsetJsonSchema } from '../generate/toolset-json.ts';
import { detectorSchema } from '../model/detector.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { overridesSchema } from '../model/overrides.ts';
import { type Fault, readYaml } from '../model/yaml-text.ts';
import { FILE_KINDS, type FileKind } from './choices.ts';
import type { Invocation } from './configuration.ts';

/** Kinds of files, with their schema and how one is told from the others by its name. */
const KINDS = {
  overrides: { schema: overridesSchema, name: /overrides\.ya?ml$/ },
  'toolset-json': { schema: toolsetJsonSchema, name: /\.json$/ },
  holmesgpt: { schema: mergedHolmesSchema, name: /toolsets?\.ya?ml$/ },
  config: { schema: configFileSchema, name: /config\.ya?ml$/ },
  detector: { schema: detectorSchema, name: /(^|\/)detectors\/[^/]*\.ya?ml$/ },
} as const satisfies Record<FileKind, { readonly schema: z.ZodType; readonly name: RegExp }>;

export interface ValidateFlags {
  readonly kind?: FileKind;
}

function kindOf(path: string): FileKind {
  const kind = FILE_KINDS.find((candidate) => KINDS[candidate].name.test(path));
  if (kind === undefined)
    throw new UserError(
      `cannot tell from its name what ${path} is; say it with --kind (${FILE_KINDS.join(', ')})`,
      EXIT.usage,
    );
  return kind;
}

/** `validate`: every fault in files, with line and column. @returns the exit code: 1 if there are any */
export async function validateCommand(
  paths: readonly string[],
  flags: ValidateFlags,
  run: Invocation,
): Promise<number> {
  let faulty = false;
  for (const path of paths) {
    const kind = flags.kind ?? kindOf(path);
    let text: string;
    try {
      text = path === '-' ? await readAll(run.stdin) : await readFile(path, 'utf8');
    } catch (error) {
      throw new UserError(
        `cannot read ${path}: ${(error as Error).message}; name a file, or - for standard input`,
        EXIT.usage,
        { cause: error },
      );
    }
    const result = readYaml<unknown>(text, KINDS[kind].schema);
    const faults: readonly Fault[] = 'faults' in result ? result.faults : [];
    if (faults.length > 0) faulty = true;
    for (const { line, column, message } of faults)
      run.output.result.write(`${path}:${line}:${column}: ${message}\n`);
    if (faults.length === 0) run.output.messages.write(`${path}: fine (${kind})\n`);
  }
  return faulty ? EXIT.findings : EXIT.ok;
}
