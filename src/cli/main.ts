#!/usr/bin/env node
import { CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { UserError } from '../model/errors.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { createProgram } from './program.ts';
import { safeTerminal } from './safe-terminal.ts';
import { withAlternative } from './without-cluster.ts';

/** The oldest supported major version of Node.js. Checked first, because an older one fails in ways that look like bugs. */
const MIN_NODE_MAJOR = 24;
if (Number.parseInt(process.versions.node, 10) < MIN_NODE_MAJOR) {
  process.stderr.write(
    `error: dynamic-toolset needs Node.js ${MIN_NODE_MAJOR} or newer, and this is ${process.versions.node} (${process.execPath})\n`,
  );
  process.exit(EXIT.usage);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
    stop.abort(name);
  });
}
// A reader such as `head` may close the pipe early. This is not a failure, and the command runs to its end.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return;
    if (stream === process.stdout)
      output.messages.write(`error: cannot write the result: ${error.message}\n`);
    process.exit(EXIT.usage);
  });

const output = { result: safeTerminal(process.stdout), messages: safeTerminal(process.stderr) };

/** The program name as the user typed it: kubectl runs `kubectl-toolset` for `kubectl toolset`. */
const typedName = /(?:^|[\\/])kubectl-toolset(?:\.js)?$/.test(process.argv[1] ?? '')
  ? 'kubectl toolset'
  : 'dynamic-toolset';

const program = createProgram(
  {
    env: process.env,
    stdin: process.stdin,
    output,
    version: packageJson.version,
    name: typedName,
    signal: stop.signal,
    onReload: (reload) => void process.on('SIGHUP', reload),
  },
  (exitCode) => {
    process.exitCode = exitCode;
  },
);

/** The incomplete command line, if a shell asks for completions. kubectl asks its plugins in the same way. */
function lineToComplete(): readonly string[] | undefined {
  const [first, ...words] = process.argv.slice(2);
  return first === '__complete' ? words : undefined;
}

try {
  const begun = lineToComplete();
  // Without arguments, print the help and exit with 0, as kubectl does.
  if (process.argv.length === 2) program.outputHelp();
  else if (begun !== undefined) {
    const { candidatesOf, candidatesText } = await import('./candidates.ts');
    output.result.write(candidatesText(candidatesOf(program, begun)));
  } else await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof UserError) {
    for (const line of withAlternative(error, program.args[0]).split('\n'))
      output.messages.write(`error: ${line}\n`);
    process.exitCode = exitCodeOf(error);
  } else if (stop.signal.aborted) {
    process.exitCode = stop.signal.reason === 'SIGINT' ? 130 : 143;
  } else {
    const stack = hideSecrets(String(error instanceof Error ? error.stack : error));
    output.messages.write(
      `error: a bug in dynamic-toolset ${packageJson.version}: please report it with these lines\n${stack}\n`,
    );
    process.exitCode = EXIT.findings;
  }
}
