import { type FSWatcher, unwatchFile, watch, watchFile } from 'node:fs';

/** Polling interval in milliseconds: a swap of symbolic links, as the kubelet does, causes no file system event. */
const POLL_INTERVAL = 2_000;
/** Debounce in milliseconds, so that files that are written in sequence are read together. */
const DEBOUNCE = 200;

export interface WatchedPaths {
  readonly files: readonly string[];
  /** All files in these folders, without subfolders. */
  readonly folders?: readonly string[];
}

/**
 * Calls `changed` shortly after a file may have changed, until the signal is aborted. It does not keep the process alive.
 * @returns a function that triggers the same debounced call
 */
export function watchFiles(
  { files, folders = [] }: WatchedPaths,
  changed: () => void,
  signal: AbortSignal,
): () => void {
  if (signal.aborted) return () => {};
  let debounce: NodeJS.Timeout | undefined;
  const notice = (): void => {
    clearTimeout(debounce);
    debounce = setTimeout(changed, DEBOUNCE).unref();
  };
  const paths = [...files, ...folders];
  for (const path of paths) watchFile(path, { interval: POLL_INTERVAL, persistent: false }, notice);
  // Polling a folder does not detect that a file in it is written in place.
  const watchers = folders.flatMap((folder) => watchFolder(folder, notice));
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(debounce);
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
    // Not every file system supports this. Polling works everywhere.
    return [];
  }
}
