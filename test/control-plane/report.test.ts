import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { streamReport } from '../cluster/report.ts';

/** Back to the start of the line, and empty it. */
const WIPE = '\r\x1b[2K';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function written(terminal: boolean) {
  const chunks: string[] = [];
  const report = streamReport({ isTTY: terminal, columns: 60, write: (text) => chunks.push(text) });
  return { chunks, report };
}

describe('progress', () => {
  it('is a plain line every 15 seconds without a terminal', () => {
    const { chunks, report } = written(false);
    const task = report.task('building etcd');
    vi.advanceTimersByTime(14_999);
    expect(chunks).toEqual([]);
    task.at('3 packages compiled, go.uber.org/zap');
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(15_000);
    expect(chunks).toEqual([
      'control plane: building etcd: 15 s, 3 packages compiled, go.uber.org/zap\n',
      'control plane: building etcd: 30 s, 3 packages compiled, go.uber.org/zap\n',
    ]);
    task.end();
    vi.advanceTimersByTime(60_000);
    expect(chunks).toHaveLength(2);
  });

  it('is one line on a terminal, which is rewritten, fits, and is erased in the end', () => {
    const { chunks, report } = written(true);
    const task = report.task('building etcd');
    task.at('a/very/long/package/path/that/would/otherwise/wrap/around/the/terminal');
    vi.advanceTimersByTime(2_000);
    task.end();
    expect(chunks).toEqual([
      expect.stringContaining(`${WIPE}control plane: building etcd: 1 s, a/very/`),
      expect.stringContaining(`${WIPE}control plane: building etcd: 2 s, a/very/`),
      WIPE,
    ]);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(60 + WIPE.length);
    expect(chunks.join('')).not.toContain('\n');
  });
});
