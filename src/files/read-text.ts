import { isUtf8 } from 'node:buffer';
import { constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';

const MIB = 1024 * 1024;

/** For example `16 MiB`. */
export const sizeText = (bytes: number): string =>
  bytes >= MIB ? `${Math.floor(bytes / MIB)} MiB` : `${bytes} bytes`;

/** A file has more bytes than the limit. */
export class FileLimitError extends Error {}

/** A file is not UTF-8, so a text of it would not have all that its author wrote. */
export class EncodingError extends Error {
  readonly fix = 'save it as UTF-8';
  /** Line and column of the first byte that is not UTF-8, from 1. */
  readonly place: { readonly line: number; readonly column: number };

  /** @param before the text before the first byte that is not UTF-8 */
  constructor(before: string) {
    super('it is not UTF-8');
    const lines = before.split('\n');
    this.place = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  }
}

/** What decoding makes of bytes that are not UTF-8. A text may have the character itself, too. */
const REPLACEMENT = '\uFFFD';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);

/** The part of a decoded text before the first byte that is not UTF-8. */
function decodedPart(text: string, bytes: Buffer): string {
  let offset = 0;
  let from = 0;
  for (;;) {
    const at = text.indexOf(REPLACEMENT, from);
    offset += Buffer.byteLength(text.slice(from, at));
    const end = offset + REPLACEMENT_BYTES.length;
    if (!bytes.subarray(offset, end).equals(REPLACEMENT_BYTES)) return text.slice(0, at);
    offset = end;
    from = at + 1;
  }
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  if (isUtf8(bytes)) return text;
  throw new EncodingError(decodedPart(text, bytes));
}

/**
 * Reads a stream of UTF-8 to its end.
 * @param limit in bytes
 * @param signal ends the reading
 * @throws FileLimitError; EncodingError; AbortError
 */
export async function readStream(
  stream: NodeJS.ReadableStream,
  limit: number,
  signal?: AbortSignal,
): Promise<string> {
  if (signal !== undefined) addAbortSignal(signal, stream as Readable);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > limit) throw new FileLimitError(`it has more than ${sizeText(limit)}, the limit for a file`);
    chunks.push(piece);
  }
  return textOf(Buffer.concat(chunks));
}

/** Opens a file. Reading a FIFO or a terminal as a file would block a thread, and no signal could end the process. */
function open(path: string): Readable {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  return isatty(fd) ? new ReadStream(fd) : createReadStream(path, { fd });
}

/**
 * Reads a file like `readStream`. It may be a device without an end, or a FIFO, such as `<(command)` of a shell.
 * @throws Error also if there is no such file, or it cannot be read
 */
export async function readText(path: string, limit: number, signal?: AbortSignal): Promise<string> {
  return await readStream(open(path), limit, signal);
}

/**
 * Reads a file of a folder like `readText`. Waiting for the writer of a FIFO would hold up the other files.
 * @throws Error also for a FIFO or a device
 */
export async function readRegularFile(path: string, limit: number, signal?: AbortSignal): Promise<string> {
  const found = await stat(path);
  if (found.isFIFO() || found.isCharacterDevice()) throw new Error('it is a FIFO or a device');
  return await readText(path, limit, signal);
}
