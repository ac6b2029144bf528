import { styleText } from 'node:util';
import type { DiffLine } from '../reconcile/changes.ts';
import type { Invocation } from './configuration.ts';

const STYLES = { removed: 'red', added: 'green', header: 'bold', context: 'reset' } as const;

/** Writes a difference to standard output, in colours on a terminal. */
export function printDiff(lines: readonly DiffLine[], { output, env }: Invocation): void {
  const colour = output.result.isTTY === true && env.NO_COLOR === undefined;
  for (const { kind, text } of lines)
    output.result.write(`${colour ? styleText(STYLES[kind], text, { validateStream: false }) : text}\n`);
}
