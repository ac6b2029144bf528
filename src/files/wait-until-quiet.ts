import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often to look at the file, in milliseconds. */
const POLL_MS = 250;

/** How long to wait at most, in milliseconds. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Waits until a file has not been written to for a while, so that a text that is written in several steps is complete. Does
 * not wait for a file that does not exist.
 * @param quietMs how long it must not have been written to, in milliseconds
 * @throws Error after a minute, in words that follow the file's name and a colon; AbortError
 */
export async function waitUntilQuiet(path: string, quietMs: number, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  let written: number | undefined;
  let since = start;
  for (;;) {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return;
    const now = performance.now();
    if (found.mtimeMs !== written) since = now;
    written = found.mtimeMs;
    // The clock of a remote file system may differ, so what this process sees counts too.
    const left = quietMs - Math.max(now - since, Date.now() - found.mtimeMs);
    if (left <= 0) return;
    if (now - start > LONGEST_WAIT_MS)
      throw new Error('others have been writing to it for a minute; it is written once they pause');
    await sleep(Math.min(POLL_MS, left), undefined, { signal });
  }
}
