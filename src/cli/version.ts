import type { CliContext } from './cli-context.ts';

/** `version`: the program's version, and the runtime's for a bug report. */
export function versionCommand(format: string | undefined, run: CliContext): void {
  const versions = {
    version: run.version,
    node: process.versions.node,
    platform: `${process.platform}/${process.arch}`,
  };
  run.output.result.write(
    format === 'json'
      ? `${JSON.stringify(versions)}\n`
      : `dynamic-toolset ${versions.version} (Node.js ${versions.node}, ${versions.platform})\n`,
  );
}
