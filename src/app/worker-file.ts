/** The program of the worker thread. The build puts another path in this module's place. */
export const WORKER_FILE = new URL('./text-worker.ts', import.meta.url);
