/** A virtual environment with HolmesGPT in it, kept between runs; the first run needs about 7 minutes and 800 MB. */
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../test/cluster/child.ts';
import { withLock } from '../test/cluster/lock.ts';

/** The HolmesGPT version of the models in `src/outputs/holmesgpt/models.json`. */
export const HOLMESGPT = '0.45.0';

const FOLDER = join(homedir(), '.cache', 'dynamic-toolset');
/** The only package without wheels. No other package may run code during installation. */
const INSTALL = ['--only-binary=:all:', '--no-binary=clickhouse-sqlalchemy', `holmesgpt==${HOLMESGPT}`];
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const INSTALL_LIMIT_MS = 45 * 60_000;
const START_LIMIT_MS = 3 * 60_000;

/** HolmesGPT cannot be run here. The message says why and what to do. */
export class NoHolmes extends Error {
  override readonly name = 'NoHolmes';
}

/**
 * The Python interpreter that has HolmesGPT. Concurrent runs wait for the one that installs it; an interrupted
 * installation starts over.
 * @param say receives progress messages
 * @throws NoHolmes if Python, its `venv` module or the package index is not available
 */
export async function holmesPython(say: (line: string) => void): Promise<string> {
  const folder = join(FOLDER, `holmes-${HOLMESGPT}`);
  // A virtual environment cannot be renamed, so this file marks it as complete.
  const stamp = join(folder, 'complete');
  const python = join(folder, 'bin', 'python');
  if (await exists(stamp)) return python;
  await mkdir(FOLDER, { recursive: true });
  await withLock(
    `${folder}.lock`,
    (pid) => say(`process ${pid} installs HolmesGPT ${HOLMESGPT}; waiting for it`),
    async () => {
      if (await exists(stamp)) return;
      if (!(await works(python))) await install(folder, python, say);
      await writeFile(stamp, '');
    },
  );
  return python;
}

async function install(folder: string, python: string, say: (line: string) => void): Promise<void> {
  const base = await basePython();
  await rm(folder, { recursive: true, force: true });
  say(`installing HolmesGPT ${HOLMESGPT} into ${folder}: about 7 minutes and 800 MB, once`);
  const made = await run(base, ['-m', 'venv', folder], START_LIMIT_MS);
  if (made.code !== 0)
    throw new NoHolmes(
      `${base} cannot create a virtual environment: ${said(made.tail)}; install its venv module`,
    );
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...INSTALL];
  const installed = await run(python, pip, INSTALL_LIMIT_MS);
  if (installed.code !== 0)
    throw new NoHolmes(
      `pip cannot install HolmesGPT ${HOLMESGPT}: ${said(installed.tail)}; check that the package index is reachable, or set PIP_INDEX_URL to another one`,
    );
  if (!(await works(python)))
    throw new NoHolmes(
      `HolmesGPT ${HOLMESGPT} was installed into ${folder}, but does not start; remove the folder`,
    );
}

const said = (tail: readonly string[]): string => tail.slice(-3).join(' ');

async function run(command: string, args: readonly string[], limitMs: number) {
  return await runChild(command, args, { abort: AbortSignal.timeout(limitMs) });
}

/** Whether HolmesGPT of our version can be imported. */
async function works(python: string): Promise<boolean> {
  if (!(await exists(python))) return false;
  const program = `import importlib.metadata as m; assert m.version("holmesgpt") == "${HOLMESGPT}"; import holmes.config`;
  return (await run(python, ['-c', program], START_LIMIT_MS)).code === 0;
}

/** A Python that can run HolmesGPT and create virtual environments. */
async function basePython(): Promise<string> {
  const passedOver: string[] = [];
  for (const name of PYTHONS) {
    const program = 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))';
    try {
      const { code, tail } = await run(name, ['-c', program], START_LIMIT_MS);
      if (code === 0) return name;
      passedOver.push(`${name}: ${tail.at(-1) ?? 'another version'}`);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  throw new NoHolmes(
    `HolmesGPT needs Python 3.10 to 3.13 with its venv module, and there is none${passedOver.length === 0 ? '' : ` (${passedOver.join('; ')})`}; install one, on Debian: apt-get install python3-venv`,
  );
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
