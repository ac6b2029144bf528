import { visible } from '../model/visible.ts';
import type { Sink } from './cli-context.ts';

const ESCAPE = '\u001b';
/** A colour, the start of a line of progress, and what erases the rest of it. */
const OURS = new RegExp(`(${ESCAPE}\\[\\d{1,3}m|^\\r|${ESCAPE}\\[K$)`);

/** A text with our own colours, in which all else is made visible. */
const paintedText = (text: string): string =>
  text
    .split(OURS)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');

/**
 * The one way to standard output and standard error. Whatever is written, no text of somebody else's can steer the
 * terminal: who writes colours has made such texts visible before.
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
