import { runChild } from './child.ts';
import { type Report, seconds } from './report.ts';

/** What go needs to know of a program. */
export interface GoSource {
  /** The program's file name, `kubectl`. */
  readonly name: string;
  /** The Go package that has its main function, `k8s.io/kubernetes/cmd/kubectl`. */
  readonly packagePath: string;
  /** The folder with the `go.mod` and `go.sum` that pin its version and all of its parts. */
  readonly moduleFolder: string;
  /** Strings that the linker sets, by the full name of the Go variable: versions, for example. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * Builds one program with go into the file `draft`, and tells how far it is.
 *
 * Throws an `Error` with go's last words, or one that says that there is no go; or `Interrupted`.
 */
export async function goBuild(
  source: GoSource,
  draft: string,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  const { name, packagePath, moduleFolder, variables = {} } = source;
  const started = Date.now();
  const task = report.task(`building ${name}`);
  const set = Object.entries(variables).map(([variable, value]) => `-X ${variable}=${value}`);
  const flags = ['-s', '-w', ...set].join(' ');
  let packages = 0;
  try {
    const args = ['build', '-v', '-trimpath', `-ldflags=${flags}`, '-o', draft, packagePath];
    const result = await runChild('go', args, {
      cwd: moduleFolder,
      env,
      onLine(line) {
        // With -v go names each package it compiles; everything else it says starts with "go: ".
        if (!line.startsWith('go: ')) packages += 1;
        task.at(`${packages} packages compiled, ${line}`);
      },
    });
    if (result.code !== 0) throw new Error(goFailed(name, result.code, result.tail));
  } catch (error) {
    throw explained(error);
  } finally {
    task.end();
  }
  report.say(`built ${name} in ${seconds(started)} s`);
}

function goFailed(name: string, code: number, tail: readonly string[]): string {
  const said = tail.slice(-8).map((line) => `      ${line}`);
  return [`go could not build ${name} (exit code ${code}); it said:`, ...said].join('\n');
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return error;
  return new Error('there is no "go" on PATH');
}
