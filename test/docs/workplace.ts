/** A folder in which commands of the documentation run, as on the machine of a person who follows it. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { repository } from '../../scripts/markdown.ts';

/** Whether this machine has kubectl. */
export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** How a script ended; output and messages are in one text, as a terminal shows them. */
interface ScriptEnd {
  readonly exitCode: number;
  readonly text: string;
}

/** A folder with what a checkout has, and the program by each of its names. */
export class Workplace {
  private readonly folder: string;
  private readonly kubeconfig: string;

  private constructor(folder: string, kubeconfig: string) {
    this.folder = folder;
    this.kubeconfig = kubeconfig;
  }

  /** Makes one. It goes when the test ends. */
  static async create(kubeconfig: string): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'documentation-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    for (const name of ['demo', 'deploy', 'detectors'])
      await symlink(join(repository, name), join(folder, name));
    await mkdir(join(folder, 'bin'));
    const program = `#!/bin/sh\nexec '${process.execPath}' '${inject('program')}' "$@"\n`;
    const npm = '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\nexec dynamic-toolset "$@"\n';
    for (const [name, text] of Object.entries({
      'dynamic-toolset': program,
      'kubectl-toolset': program,
      npm,
    }))
      await writeFile(join(folder, 'bin', name), text, { mode: 0o755 });
    return new Workplace(folder, kubeconfig);
  }

  async save(file: string, text: string): Promise<void> {
    const path = join(this.folder, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${text}\n`);
  }

  /** Runs a script that stops at the first command that fails. */
  run(script: string, environment: Readonly<Record<string, string>> = {}): Promise<ScriptEnd> {
    const env = {
      PATH: `${join(this.folder, 'bin')}${delimiter}${process.env.PATH}`,
      HOME: this.folder,
      KUBECONFIG: this.kubeconfig,
      ...environment,
    };
    return new Promise((resolve) => {
      const options = { cwd: this.folder, env, timeout: 150_000 };
      execFile('bash', ['-e', '-o', 'pipefail', '-c', `exec 2>&1\n${script}`], options, (error, text) => {
        resolve({ exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, text });
      });
    });
  }
}
