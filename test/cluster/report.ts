/** How long a silent task may go without a line where there is no terminal, in milliseconds. */
const PLAIN_LINE_MS = 15_000;
const TERMINAL_LINE_MS = 1_000;

/** A task under way whose progress is shown. */
interface Task {
  /** What the task is at now; shown with the next line. */
  at(now: string): void;
  /** Stops the progress lines. */
  end(): void;
}

/** Tells a person what is happening. */
export interface Report {
  say(line: string): void;
  /** Shows the seconds that pass, and where the task is, until `end` is called. */
  task(what: string): Task;
}

interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * A report that writes to a stream (standard error by default): one line that rewrites itself each
 * second on a terminal, else a plain line every 15 seconds. Each line begins with the subject.
 */
export function streamReport(
  sink: Sink = process.stderr,
  plainLineMs = PLAIN_LINE_MS,
  subject = 'control plane',
): Report {
  const say = (line: string): void => void sink.write(`${subject}: ${line}\n`);
  return {
    say,
    task(what) {
      const started = Date.now();
      let where = '';
      const line = (): string => `${what}: ${seconds(started)} s${where === '' ? '' : `, ${where}`}`;
      const draw = (): void =>
        void sink.write(`\r\x1b[2K${`${subject}: ${line()}`.slice(0, (sink.columns ?? 80) - 1)}`);
      const timer = sink.isTTY
        ? setInterval(draw, TERMINAL_LINE_MS)
        : setInterval(() => say(line()), plainLineMs);
      return {
        at(now) {
          where = now;
        },
        end() {
          clearInterval(timer);
          if (sink.isTTY) sink.write('\r\x1b[2K');
        },
      };
    },
  };
}

/** Whole seconds since a moment in milliseconds. */
export function seconds(since: number): number {
  return Math.round((Date.now() - since) / 1000);
}
