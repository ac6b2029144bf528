/**
 * A demonstration without a cluster: a folder of manifests stands in for the cluster, small local servers stand in for
 * the backends, and the real `discover` and `serve` work on them. `--once` ends after the first pass.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';
import { startBackends } from '../demo/backends.ts';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--once');
if (unknown.length > 0) {
  console.error(`error: unknown argument ${unknown.join(' ')}; the only one is --once`);
  process.exit(2);
}
const once = process.argv.includes('--once');
const root = join(import.meta.dirname, '..');
const output = join(root, 'demo-output');
const cluster = relative(process.cwd(), join(output, 'cluster'));
const configMap = relative(process.cwd(), join(output, 'configmap.yaml'));
const main = join(root, 'src/cli/main.ts');

const say = (text: string): void => console.log(`\n${styleText('bold', text)}`);

/** Runs the command line like a user. @returns the exit code, or `undefined` if a signal ended it */
function run(...args: string[]): Promise<number | null> {
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit' });
  return new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
}

// The child receives Ctrl-C too; this process stays to clean up.
process.on('SIGINT', () => {});

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
await cp(join(root, 'demo/cluster'), join(output, 'cluster'), { recursive: true });
const backends = await startBackends();
/** Namespaces that are listed by name are trusted, so the annotated Service in `shop` needs no approval. */
const trusted = 'monitoring,observability,shop';
const probing = [...backends.connectTo.flatMap((target) => ['--connect-to', target])];
let exitCode: number | null = 0;
try {
  console.log(
    `${backends.connectTo.length} small servers on this machine stand in for the backends; --connect-to points to them.`,
  );
  say(`The backends of the cluster in ${cluster}/, with the evidence:`);
  console.log(
    `$ dynamic-toolset discover -f ${cluster} -n ${trusted} -o wide --connect-to ${backends.connectTo[0]} …\n`,
  );
  exitCode = await run('discover', '-f', cluster, '-n', trusted, '-o', 'wide', ...probing);
  if (exitCode === 0) {
    say(once ? 'One pass of the service:' : 'The service, which watches the folder:');
    console.log(
      `$ dynamic-toolset serve -f ${cluster} -n ${trusted} --out ${configMap} --log-format pretty${once ? ' --once' : ''} --connect-to …`,
    );
    if (!once)
      console.log(
        `\nTry it: remove a Service from ${cluster}/, or add one, and watch ${configMap} change. Press Ctrl-C to stop.\n`,
      );
    const serve = [
      'serve',
      '-f',
      cluster,
      '--namespace',
      trusted,
      '--out',
      configMap,
      '--log-format',
      'pretty',
      '--discovery-interval',
      '10s',
    ];
    exitCode = await run(...serve, ...probing, ...(once ? ['--once'] : []));
  }
  if (exitCode === 0) say(`The ConfigMap is in ${configMap}: custom_toolset.yaml is what HolmesGPT loads.`);
} finally {
  backends.stop();
}
process.exitCode = exitCode ?? 1;
