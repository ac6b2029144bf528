/**
 * Reads from the installed HolmesGPT what it accepts, and writes it where the checks find it.
 * `npm run holmes-schema -- --check` writes nothing and fails if the file is out of date.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { holmesPython, NoHolmes } from './holmes-venv.ts';

const MODELS = join(import.meta.dirname, '../src/generate/holmes-models.json');
const LIMIT_MS = 3 * 60_000;

/** What the installed HolmesGPT accepts, as the text of the file. */
export async function holmesModels(python: string): Promise<string> {
  const script = join(import.meta.dirname, 'holmes-schema.py');
  const { stdout } = await promisify(execFile)(python, [script], {
    timeout: LIMIT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

async function main(): Promise<number> {
  try {
    const made = await holmesModels(await holmesPython((line) => console.error(line)));
    if (made === readFileSync(MODELS, 'utf8')) return 0;
    if (process.argv.includes('--check')) {
      console.error('src/generate/holmes-models.json is out of date; run npm run holmes-schema');
      return 1;
    }
    writeFileSync(MODELS, made);
    console.log('src/generate/holmes-models.json written');
    return 0;
  } catch (error) {
    if (!(error instanceof NoHolmes)) throw error;
    console.error(`error: ${error.message}`);
    return 1;
  }
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main();
