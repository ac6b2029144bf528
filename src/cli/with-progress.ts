import type { Output } from './cli-context.ts';
import type { Progress } from './progress.ts';

/** Runs `work` with a progress line, if messages go to an interactive terminal. */
export async function withProgress<T>(
  { messages }: Output,
  env: Readonly<Record<string, string | undefined>>,
  work: (progress: Progress | undefined) => Promise<T>,
): Promise<T> {
  if (messages.isTTY !== true || env.TERM === 'dumb' || (env.CI ?? '') !== '') return work(undefined);
  const { Progress: Line } = await import('./progress.ts');
  const progress = new Line(messages, env);
  try {
    return await work(progress);
  } finally {
    progress.end();
  }
}
