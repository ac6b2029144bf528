import type { CliContext } from './cli-context.ts';

/** `version`: prints the versions of the program and its runtime. */
export function versionCommand(format: string | undefined, cli: CliContext): void {
  const versions = {
    version: cli.version,
    node: process.versions.node,
    platform: `${process.platform}/${process.arch}`,
  };
  cli.output.result.write(
    format === 'json'
      ? `${JSON.stringify(versions)}\n`
      : `dynamic-toolset ${versions.version} (Node.js ${versions.node}, ${versions.platform})\n`,
  );
}
