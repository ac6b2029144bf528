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
export class EncodingError extends Error {}

function textOf(bytes: Buffer): string {
  const text = bytes.toString();
  if (isUtf8(bytes)) return text;
  const line = text.slice(0, text.indexOf('\uFFFD')).split('\n').length;
  throw new EncodingError(`line ${line} is not UTF-8; save it as UTF-8`);
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
