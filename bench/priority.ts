import { readdir, readFile, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';

/** The niceness of processes that run on other machines in reality. */
const LOW = 10;

/** Parent and session of a process. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function kinship(pid: number): Promise<{ readonly parent: number; readonly session: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name, in parentheses, and may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), session: Number(fields[3]) };
}

/**
 * Lowers the priority of all processes that this one has started, directly or not, so that they do not take processor time
 * from those that it starts later. Linux only; elsewhere it has no effect.
 */
export async function lowerPriorityOfChildren(): Promise<void> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter(Number.isInteger);
  const kin = new Map<number, Awaited<ReturnType<typeof kinship>>>();
  for (const pid of pids) {
    const found = await kinship(pid).catch(() => undefined);
    if (found !== undefined) kin.set(pid, found);
  }
  const isOurs = (pid: number): boolean => {
    const parent = kin.get(pid)?.parent;
    return parent !== undefined && (parent === process.pid || isOurs(parent));
  };
  for (const pid of [...kin.keys()].filter(isOurs)) {
    for (const thread of await readdir(`/proc/${pid}/task`).catch(() => []))
      try {
        setPriority(Number(thread), LOW);
      } catch {
        // It has ended.
      }
    // With autogroups, niceness counts only within a session, and the session has its own.
    if (kin.get(pid)?.session !== kin.get(process.pid)?.session)
      await writeFile(`/proc/${pid}/autogroup`, String(LOW)).catch(() => {});
  }
}
