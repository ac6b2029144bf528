import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { holmesPython } from '../../scripts/holmes-venv.ts';

const LIMIT_MS = 10 * 60_000;

/** What became of an entry in the real HolmesGPT. */
export interface LoadedEntry {
  /** `nothing`: it loads as a toolset that has no tools. */
  readonly state: 'loaded' | 'failed' | 'nothing' | 'absent' | 'off' | 'not on the server';
  readonly error?: string | null;
  readonly type?: string;
  readonly tools?: number;
  /** The classes that took its configuration, and the fields that they ignored. */
  readonly configs?: readonly { readonly class: string; readonly ignored: readonly string[] }[];
}

/** What became of a file: `error` if it was refused as a whole. */
export interface Loaded {
  readonly error: string | null;
  readonly entries: Readonly<Record<string, LoadedEntry>>;
}

/** Loads texts of `custom_toolset.yaml` with the real HolmesGPT, all in one process; the answers by their names. */
export async function loadInHolmes(texts: ReadonlyMap<string, string>): Promise<Map<string, Loaded>> {
  const python = await holmesPython((line) => console.error(line));
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-contract-'));
  try {
    const paths = await Promise.all(
      [...texts.values()].map(async (text, index) => {
        const path = join(folder, `${index}.yaml`);
        await writeFile(path, text);
        return path;
      }),
    );
    const list = join(folder, 'list.json');
    await writeFile(list, JSON.stringify(paths));
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'load.py'), list], {
      timeout: LIMIT_MS,
      maxBuffer: 256 * 1024 * 1024,
    });
    const answers = JSON.parse(stdout) as Loaded[];
    return new Map([...texts.keys()].map((name, index) => [name, answers[index] as Loaded]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
