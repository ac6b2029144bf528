import type { IncomingMessage } from 'node:http';

/** The server answered with something that is not what the API promises: too long, or not to be understood. */
export class BadAnswerError extends Error {
  override readonly name = 'BadAnswerError';
}

/** An answer is longer than we are ready to hold in memory. */
export class TooLongError extends BadAnswerError {}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

/**
 * The whole body as text.
 * @param limit most bytes that are read
 * @throws TooLongError for a longer one, after closing the connection
 */
export async function readBody(response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw new TooLongError(`the answer is longer than ${megabytes(limit)}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The start of a body as text; what comes after it is not read, and the connection is closed.
 * @param limit most bytes that are read
 * @param enough looks at each piece once; true ends the reading sooner
 */
export async function readStart(
  response: AsyncIterable<Buffer>,
  limit: number,
  enough?: (chunk: Buffer) => boolean,
): Promise<string> {
  const chunks: Buffer[] = [];
  let left = limit;
  for await (const whole of response) {
    const chunk = whole.subarray(0, left);
    chunks.push(chunk);
    left -= chunk.length;
    if (enough?.(chunk) === true || left === 0) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The chunks of a body, while they and their framing stay within a budget of bytes.
 * @throws TooLongError beyond it, after closing the connection
 */
export async function* withinBudget(response: IncomingMessage, budget: number): AsyncGenerator<Buffer> {
  const { socket } = response;
  const start = socket.bytesRead;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (socket.bytesRead - start > budget)
      throw new TooLongError(`it sent more than ${Math.round(budget / 1024)} KiB for one answer`);
    yield chunk;
  }
}

/** @throws BadAnswerError when the text is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadAnswerError(`the answer is not JSON: ${(error as Error).message.slice(0, 200)}`, {
      cause: error,
    });
  }
}

const NEWLINE = 0x0a;

/**
 * The values of newline-delimited JSON, each as soon as its line is complete. At most one line is in memory.
 * @param limit most bytes in one line
 * @throws BadAnswerError for a line that is longer or is not JSON; Error when the last line has no end
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>, limit: number): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer): void => {
    length += part.length;
    if (length > limit) throw new TooLongError(`a line of the answer is longer than ${megabytes(limit)}`);
    parts.push(part);
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      start = end + 1;
      if (line.trim() !== '') yield parseJson(line);
    }
    if (start < chunk.length) add(chunk.subarray(start));
  }
  if (length > 0) throw new Error('the answer ended in the middle of a line');
}
