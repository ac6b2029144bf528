import { constants, createReadStream, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';

const MIB = 1024 * 1024;

const size = (bytes: number): string => (bytes >= MIB ? `${Math.floor(bytes / MIB)} MiB` : `${bytes} bytes`);

/**
 * Reads a stream of UTF-8 to its end.
 * @param limit in bytes
 * @param signal ends the reading
 * @throws Error if there is more than the limit; AbortError
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
    if (bytes > limit) throw new Error(`it has more than ${size(limit)}, the limit for a file`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Reads a file like `readStream`. It may be a device without an end, or a FIFO, such as `<(command)` of a shell. Reading a FIFO
 * as a file would block a thread, and no signal could end the process.
 * @throws Error also if there is no such file, or it cannot be read
 */
export async function readText(path: string, limit: number, signal?: AbortSignal): Promise<string> {
  const isFifo = (await stat(path)).isFIFO();
  const stream = isFifo
    ? new Socket({
        fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
        readable: true,
        writable: false,
      })
    : createReadStream(path);
  return await readStream(stream, limit, signal);
}
