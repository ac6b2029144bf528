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

/**
 * The logger: one JSON object a line with `timestamp`, `level` and `message`, or lines for a person.
 * @param stream where lines go; it is not closed
 */
export function createLogger(
  settings: Pick<Settings, 'logLevel' | 'logFormat'>,
  stream: NodeJS.WritableStream,
): Logger {
  const destination =
    settings.logFormat === 'json'
      ? { write: (line: string) => void stream.write(line) }
      : { write: (line: string) => void stream.write(pretty(line)) };
  return pino(
    {
      level: settings.logLevel,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  );
}
