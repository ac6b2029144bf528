import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 500;
const HEARTBEAT_MS = 5_000;
/** A holder that has not touched its lock for this long is taken for dead, in milliseconds. */
const SILENT_MS = 60_000;

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `action` while it holds the lock file, so that two runs do not do the same long work twice. It waits
 * without a limit while the holder lives, and calls `onWait` once, with the holder's process id, if it has to.
 * The lock of a holder that died is taken over.
 *
 * It saves work and guarantees nothing: two runs which take over a dead run's lock in the same instant may
 * both go on. What they write must be safe on its own (unique temporary names, renamed when whole).
 */
export async function withLock<T>(
  file: string,
  onWait: (pid: number) => void,
  action: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const self: Holder = { id: randomUUID(), pid: process.pid, host: hostname() };
  let told = false;
  while (!(await take(file, self))) {
    const holder = await read(file);
    if (holder === undefined || !(await isAlive(file, holder))) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) onWait(holder.pid);
    told = true;
    await sleep(POLL_MS);
  }
  const heartbeat = setInterval(
    () => void utimes(file, new Date(), new Date()).catch(() => {}),
    HEARTBEAT_MS,
  );
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    if ((await read(file))?.id === self.id) await rm(file, { force: true });
  }
}

/** A link appears whole or not at all, so a half-written lock cannot be read. */
async function take(file: string, self: Holder): Promise<boolean> {
  const draft = `${file}.${self.id}`;
  await writeFile(draft, JSON.stringify(self));
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function read(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isAlive(file: string, holder: Holder): Promise<boolean> {
  const touched = await stat(file).catch(() => undefined);
  if (touched === undefined || Date.now() - touched.mtimeMs > SILENT_MS) return false;
  return holder.host !== hostname() || processExists(holder.pid);
}

/** Whether a process with this id exists on this machine. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
