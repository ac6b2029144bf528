/**
 * Reads from the installed HolmesGPT what it accepts and how many tools its toolsets offer, and writes both to files that
 * the checks use. `npm run holmes-schema -- --check` writes nothing and fails if a file is out of date.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { holmesPython, NoHolmes } from './holmes-venv.ts';

const GENERATED = join(import.meta.dirname, '../src/outputs/holmesgpt');
const LIMIT_MS = 3 * 60_000;

/** The files that are read from the package, and the program that reads each. */
const FILES = { 'models.json': 'holmes-schema.py', 'tools.json': 'holmes-tools.py' } as const;
type File = keyof typeof FILES;

export const HOLMES_FILES = Object.keys(FILES) as File[];

/** The current content of the file. */
export const writtenFile = (file: File): string => readFileSync(join(GENERATED, file), 'utf8');

/** The content of the file for the installed HolmesGPT. */
export async function holmesFile(file: File, python: string): Promise<string> {
  const script = join(import.meta.dirname, FILES[file]);
  const { stdout } = await promisify(execFile)(python, [script], {
    timeout: LIMIT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

async function main(): Promise<number> {
  try {
    const python = await holmesPython((line) => console.error(line));
    for (const file of HOLMES_FILES) {
      const made = await holmesFile(file, python);
      if (made === writtenFile(file)) continue;
      if (process.argv.includes('--check')) {
        console.error(`src/outputs/holmesgpt/${file} is out of date; run npm run holmes-schema`);
        return 1;
      }
      writeFileSync(join(GENERATED, file), made);
      console.log(`src/outputs/holmesgpt/${file} written`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof NoHolmes)) throw error;
    console.error(`error: ${error.message}`);
    return 1;
  }
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main();
