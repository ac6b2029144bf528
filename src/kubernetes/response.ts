import type { IncomingMessage } from 'node:http';

/** The response is not what the API promises: too large, or malformed. */
export class InvalidResponseError extends Error {
  override readonly name = 'InvalidResponseError';
}

/** The response exceeds a memory limit. */
export class ResponseTooLargeError extends InvalidResponseError {}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

/**
 * Reads the whole body as text.
 * @param limit maximum number of bytes
 * @throws ResponseTooLargeError if the body is larger; the connection is closed
 */
export async function readBody(response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) throw new ResponseTooLargeError(`the answer is longer than ${megabytes(limit)}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Chunks after which they are joined: many small ones need much more memory than their bytes. */
const MAX_CHUNKS = 256;

/**
 * Reads the start of a body as text, then closes the connection.
 * @param limit maximum number of bytes
 * @param enough receives each chunk once; true stops reading
 */
export async function readStart(
  response: AsyncIterable<Buffer>,
  limit: number,
  enough?: (chunk: Buffer) => boolean,
): Promise<string> {
  let chunks: Buffer[] = [];
  let left = limit;
  for await (const whole of response) {
    const chunk = whole.subarray(0, left);
    chunks.push(chunk);
    if (chunks.length >= MAX_CHUNKS) chunks = [Buffer.concat(chunks)];
    left -= chunk.length;
    if (enough?.(chunk) === true || left === 0) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Yields the chunks of a body within a budget of bytes, which includes framing.
 * @throws ResponseTooLargeError if the budget is exceeded; the connection is closed
 */
export async function* withinBudget(response: IncomingMessage, budget: number): AsyncGenerator<Buffer> {
  const { socket } = response;
  const start = socket.bytesRead;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (socket.bytesRead - start > budget)
      throw new ResponseTooLargeError(`it sent more than ${Math.round(budget / 1024)} KiB for one answer`);
    yield chunk;
  }
}

/** @throws InvalidResponseError if the text is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidResponseError(`the answer is not JSON: ${(error as Error).message.slice(0, 200)}`, {
      cause: error,
    });
  }
}

const NEWLINE = 0x0a;

/**
 * Yields the values of newline-delimited JSON as soon as each line is complete. At most one line is in memory.
 * @param limit maximum number of bytes per line
 * @throws InvalidResponseError if a line is longer or not JSON; Error if the last line is incomplete
 */
export async function* jsonLines(chunks: AsyncIterable<Buffer>, limit: number): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer): void => {
    length += part.length;
    if (length > limit)
      throw new ResponseTooLargeError(`a line of the answer is longer than ${megabytes(limit)}`);
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
