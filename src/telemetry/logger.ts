import pino, { type Logger } from 'pino';
import type { Settings } from '../config/setting-table.ts';
import { jsonText, visible } from '../model/visible.ts';
import { PacedLines } from './paced-lines.ts';
import { createRedactor } from './redact-fields.ts';

export type { Logger };

type Line = Readonly<Record<string, unknown>>;

const indented = (text: string): string => text.replace(/^/gm, '    ');

/** Fields that the pretty format omits, because they repeat the message or another field. */
const OMITTED_IF_PRETTY = new Set(['event_type', 'event', 'healthy', 'registered_detectors']);

const quoted = (value: unknown): string =>
  typeof value !== 'string' || (/\s/.test(value) && !value.includes('\n')) ? JSON.stringify(value) : value;

/** Formats a readable line: time, level, message and `key=value` fields. Multi-line values follow below. */
function pretty({ timestamp, level, message, component, stacktrace, ...rest }: Line): string {
  const time = String(timestamp).slice(11, 23);
  const fields = Object.entries(rest)
    .filter(([key]) => !OMITTED_IF_PRETTY.has(key))
    .map(([key, value]) => [key, quoted(value)] as const);
  const short = fields.flatMap(([key, value]) => (value.includes('\n') ? [] : [` ${key}=${value}`]));
  const long = [...fields.map(([, value]) => value), String(stacktrace ?? '')]
    .filter((value) => value.includes('\n'))
    .map((value) => `\n${indented(value)}`);
  const part = component === undefined ? '' : ` [${component}]`;
  return `${visible(`${time} ${String(level).toUpperCase().padEnd(5)}${part} ${message}${short.join('')}${long.join('')}`)}\n`;
}

type LogSettings = Pick<Settings, 'logLevel' | 'logFormat'>;

/**
 * Creates the logger. It writes JSON lines with `timestamp`, `level` and `message`, or readable lines, and redacts
 * secrets in both.
 * @param stream receives the lines; it is not closed
 * @param secrets known secret values
 * @returns the logger, `use`, which applies other settings, and `flush`, which writes lines of a burst that still wait
 */
export function createLogger(
  settings: LogSettings,
  stream: { write(text: string): unknown },
  secrets: readonly string[] = [],
): { readonly log: Logger; readonly use: (settings: LogSettings) => void; readonly flush: () => void } {
  let { logFormat } = settings;
  const redacted = createRedactor(secrets);
  const lines = new PacedLines((text) => {
    const { timestamp, ...rest } = JSON.parse(text) as Line;
    const line = { timestamp, ...(redacted(rest) as Line) };
    stream.write(logFormat === 'json' ? `${jsonText(line)}\n` : pretty(line));
  });
  const log = pino(
    {
      level: settings.logLevel,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (text) => lines.add(text) },
  );
  return {
    log,
    use(changed) {
      log.level = changed.logLevel;
      logFormat = changed.logFormat;
    },
    flush: () => lines.flush(),
  };
}
