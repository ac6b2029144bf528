/** The program of the worker thread. The build replaces this module. */
export const WORKER_FILE = new URL('./text-worker.ts', import.meta.url);
