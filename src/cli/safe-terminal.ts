import { visible } from '../model/visible.ts';
import type { Sink } from './cli-context.ts';

const ESCAPE = '\u001b';
/** The control sequences that we write: colours, and those of the progress line. */
const OURS = new RegExp(`(${ESCAPE}\\[\\d{1,3}m|^\\r|${ESCAPE}\\[K$)`);

/** Keeps our own colours, and escapes all other control characters. */
const paintedText = (text: string): string =>
  text
    .split(OURS)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');

/**
 * Wraps standard output or standard error so that untrusted text cannot control the terminal. All output goes through
 * it.
 */
export function safeTerminal(stream: NodeJS.WriteStream): Sink {
  return {
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.columns;
    },
    write: (text) => stream.write(visible(text)),
    writePainted: (text) => stream.write(paintedText(text)),
  };
}
