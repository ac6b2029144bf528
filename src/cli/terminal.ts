import type { Output } from './cli-context.ts';

type Stream = Output['result'];
type Environment = Readonly<Record<string, string | undefined>>;

const isSet = (text: string | undefined): text is string => text !== undefined && text !== '';

/**
 * Whether to write colours to a stream. `NO_COLOR` disables and `FORCE_COLOR` enables them (unless it is `0` or `false`).
 * By default, every terminal that is not dumb gets colours.
 */
export function hasColours(stream: Stream, env: Environment): boolean {
  if (isSet(env.NO_COLOR)) return false;
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** The width of a terminal, from the terminal itself or from `COLUMNS`. `undefined` if the stream is not a terminal. */
export function columnsOf(stream: Stream, env: Environment): number | undefined {
  if (stream.isTTY !== true) return undefined;
  const fromEnv = /^[1-9]\d{0,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : undefined;
  return stream.columns ?? fromEnv ?? 80;
}
