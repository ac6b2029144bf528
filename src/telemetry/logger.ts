import pino, { type Logger } from 'pino';
import type { Settings } from '../config/settings.ts';

export type { Logger };

/** One line for a person: time, level, message, and the rest as `key=value`. */
function pretty(line: string): string {
  const { timestamp, level, message, component: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const time = String(timestamp).slice(11, 23);
  const fields = Object.entries(rest)
    .filter(([key]) => key !== 'stacktrace')
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${time} ${String(level).toUpperCase().padEnd(5)} ${message}${fields.join('')}\n`;
}

type LogSettings = Pick<Settings, 'logLevel' | 'logFormat'>;

/**
 * The logger: one JSON object a line with `timestamp`, `level` and `message`, or lines for a person.
 * @param stream where lines go; it is not closed
 * @returns the logger, and what has it go by other settings from then on
 */
export function createLogger(
  settings: LogSettings,
  stream: NodeJS.WritableStream,
): { readonly log: Logger; readonly use: (settings: LogSettings) => void } {
  let { logFormat } = settings;
  const log = pino(
    {
      level: settings.logLevel,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => void stream.write(logFormat === 'json' ? line : pretty(line)) },
  );
  return {
    log,
    use(changed) {
      log.level = changed.logLevel;
      logFormat = changed.logFormat;
    },
  };
}
