import { styleText } from 'node:util';
import type { DiffLine } from '../planning/changes.ts';
import type { CliContext } from './cli-context.ts';
import { writePainted } from './output.ts';
import { hasColours } from './terminal.ts';

const STYLES = { removed: 'red', added: 'green', header: 'bold', context: 'reset' } as const;

/** Writes a diff to standard output, in colour on a terminal. */
export function printDiff(lines: readonly DiffLine[], { output, env }: CliContext): void {
  const colour = hasColours(output.result, env);
  for (const { kind, text } of lines)
    if (colour) writePainted(output.result, `${styleText(STYLES[kind], text, { validateStream: false })}\n`);
    else output.result.write(`${text}\n`);
}
