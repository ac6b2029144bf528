import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type * as z from 'zod';
import { configFileSchema } from '../config/file.ts';
import { type DocumentFault, holmesTextFaults } from '../generate/check.ts';
import { patchFaults } from '../generate/holmes-patch.ts';
import { toolsetJsonSchema } from '../generate/toolset-json.ts';
import { detectorSchema } from '../model/detector.ts';
import { EXIT, UserError } from '../model/exit.ts';
import { overridesSchema } from '../model/overrides.ts';
import { readPlacedYaml, readYaml } from '../model/yaml-text.ts';
import { FILE_KINDS, type FileKind } from './choices.ts';
import type { Invocation } from './configuration.ts';

/** Every fault and warning of a text. */
type Check = (text: string) => readonly DocumentFault[];

/** The check of what has a schema and nothing more. */
function by(schema: z.ZodType<unknown>): Check {
  return (text) => {
    const read = readYaml(text, schema);
    return 'faults' in read ? read.faults.map((fault) => ({ ...fault, level: 'fault' })) : [];
  };
}

/** Overrides, and what of their `holmesgpt:` part HolmesGPT would refuse, as far as it shows in that part alone. */
export function overridesFaults(text: string): readonly DocumentFault[] {
  const read = readPlacedYaml(text, overridesSchema);
  if ('faults' in read) return read.faults.map((fault) => ({ ...fault, level: 'fault' }));
  return patchFaults(read.value.holmesgpt).map(({ path, message, level }) => {
    const whole = ['holmesgpt', ...path];
    return { ...read.placeOf(whole), path: whole, message: `${whole.join('.')}: ${message}`, level };
  });
}

/** Kinds of files, with their check and how one is told from the others by its name. */
const KINDS = {
  overrides: { faults: overridesFaults, name: /overrides\.ya?ml$/ },
  'toolset-json': { faults: by(toolsetJsonSchema), name: /\.json$/ },
  holmesgpt: { faults: holmesTextFaults, name: /toolsets?\.ya?ml$/ },
  config: { faults: by(configFileSchema), name: /config\.ya?ml$/ },
  detector: { faults: by(detectorSchema), name: /(^|\/)detectors\/[^/]*\.ya?ml$/ },
} as const satisfies Record<FileKind, { readonly faults: Check; readonly name: RegExp }>;

export interface ValidateFlags {
  readonly kind?: FileKind;
  readonly quiet?: boolean;
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

/** `validate`: every fault and warning in files, with line and column. @returns the exit code: 1 if there is a fault */
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
    const faults = KINDS[kind].faults(text);
    if (faults.some(({ level }) => level === 'fault')) faulty = true;
    for (const { line, column, message, level } of faults)
      run.output.result.write(
        `${path}:${line}:${column}: ${level === 'warning' ? 'warning: ' : ''}${message}\n`,
      );
    if (faults.length === 0) run.output.messages.write(`${path}: fine (${kind})\n`);
  }
  return faulty ? EXIT.findings : EXIT.ok;
}
