import { type FSWatcher, unwatchFile, watch, watchFile } from 'node:fs';

/** How often files are looked at, in milliseconds: links that lead elsewhere, as the kubelet makes them, give no notice. */
const LOOK = 2_000;
/** Pause after a change, so that files that are written one after the other are read together, in milliseconds. */
const SETTLE = 200;

/** What is watched. */
export interface Watched {
  readonly files: readonly string[];
  /** Files in these count as well; those in folders below do not. */
  readonly folders?: readonly string[];
}

/**
 * Calls a moment after files, or files in folders, may have changed, until the signal is aborted. It keeps no process alive.
 * @returns counts as a change
 */
export function watchFiles(
  { files, folders = [] }: Watched,
  changed: () => void,
  signal: AbortSignal,
): () => void {
  if (signal.aborted) return () => {};
  let settling: NodeJS.Timeout | undefined;
  const notice = (): void => {
    clearTimeout(settling);
    settling = setTimeout(changed, SETTLE).unref();
  };
  const paths = [...files, ...folders];
  for (const path of paths) watchFile(path, { interval: LOOK, persistent: false }, notice);
  // A folder does not change when a file in it is written in place.
  const watchers = folders.flatMap((folder) => watchFolder(folder, notice));
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(settling);
      for (const path of paths) unwatchFile(path, notice);
      for (const watcher of watchers) watcher.close();
    },
    { once: true },
  );
  return notice;
}

function watchFolder(folder: string, notice: () => void): FSWatcher[] {
  try {
    return [watch(folder, { persistent: false }, notice).on('error', () => {})];
  } catch {
    // Not every file system can tell; it is looked at all the same.
    return [];
  }
}
