import { constants, createWriteStream, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty, WriteStream } from 'node:tty';

/** How often to look for a reader of a FIFO, in milliseconds. */
const RETRY_MS = 100;

/** Opens a FIFO as soon as a process reads it. Waiting in the system call would block a thread, and no signal could end it. */
async function openFifo(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
}

const streamOf = (fd: number): Writable =>
  fstatSync(fd).isFIFO()
    ? new Socket({ fd, readable: false, writable: true })
    : isatty(fd)
      ? new WriteStream(fd)
      : createWriteStream('', { fd });

/**
 * Writes a text to a FIFO or a device, such as `>(command)` of a shell or a terminal. A FIFO without a reader is waited for.
 * @param signal ends the wait and the writing
 * @throws AbortError; Error also if the reader goes away
 */
export async function writeStream(
  path: string,
  text: string,
  { isFifo, signal }: { readonly isFifo: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const fd = isFifo ? await openFifo(path, signal) : openSync(path, constants.O_WRONLY);
  await pipeline(Readable.from(text === '' ? [] : [text]), streamOf(fd), { signal });
}
