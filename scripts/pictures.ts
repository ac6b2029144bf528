/**
 * Creates the pictures of the documentation from the program's output for the demo cluster.
 * `npm run pictures -- --check` writes nothing and fails if a picture is out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';
import { startBackends } from '../demo/backends.ts';
import packageJson from '../package.json' with { type: 'json' };
import { createProgram } from '../src/cli/program.ts';
import { terminalPicture } from './terminal-picture.ts';

interface Picture {
  readonly file: string;
  readonly command: readonly string[];
  readonly title: string;
}

/** Columns of the widest table in the demo. */
const COLUMNS = 126;
const PICTURES: readonly Picture[] = [
  {
    file: 'discover.svg',
    command: ['discover'],
    title: 'dynamic-toolset discover lists seven backends with type, endpoint and health',
  },
  {
    file: 'explain.svg',
    command: ['explain', 'monitoring/stack-prometheus'],
    title: 'dynamic-toolset explain shows why a Service is detected as Prometheus, and what it answered',
  },
  {
    file: 'explain-no-backend.svg',
    command: ['explain', 'observability/loki-ingester'],
    title: 'dynamic-toolset explain shows why a Service of Loki is not a backend',
  },
];

/** The terminal that the program writes to. */
class Screen extends Writable {
  readonly isTTY = true;
  readonly columns = COLUMNS;
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const root = join(import.meta.dirname, '..');
const assets = join(root, 'docs/assets');
const cluster = relative(process.cwd(), join(root, 'demo/cluster'));
const backends = await startBackends();

/** Runs a command as typed in a shell. Its environment directs probes to the servers of the demo. */
async function shown(command: readonly string[]): Promise<string> {
  const screen = new Screen();
  const typed = [...command, '-f', cluster];
  screen.write(`${styleText('dim', '$', { validateStream: false })} dynamic-toolset ${typed.join(' ')}\n`);
  const run = {
    env: { CONNECT_TO: backends.connectTo.join(',') },
    stdin: Readable.from([]),
    output: { result: screen, messages: screen },
    version: packageJson.version,
    signal: AbortSignal.timeout(60_000),
  };
  let exitCode = 0;
  const program = createProgram(run, (code) => {
    exitCode = code;
  });
  await program.parseAsync(typed, { from: 'user' });
  if (exitCode !== 0) throw new Error(`${typed.join(' ')} ended with ${exitCode}:\n${screen.text}`);
  return screen.text;
}

const onlyCheck = process.argv.includes('--check');
mkdirSync(assets, { recursive: true });
try {
  for (const { file, command, title } of PICTURES) {
    const path = join(assets, file);
    const made = await terminalPicture(await shown(command), COLUMNS, title);
    const before = onlyCheck ? readFileSync(path, 'utf8') : undefined;
    if (before === undefined) writeFileSync(path, made);
    else if (before !== made) {
      console.error(`docs/assets/${file} is out of date; run npm run pictures`);
      process.exitCode = 1;
    }
  }
} finally {
  backends.stop();
}
