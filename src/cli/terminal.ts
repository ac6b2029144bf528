import type { Output } from './cli-context.ts';

type Stream = Output['result'];
type Environment = Readonly<Record<string, string | undefined>>;

const given = (text: string | undefined): text is string => text !== undefined && text !== '';

/**
 * May a stream have colours? `NO_COLOR` says no and `FORCE_COLOR` yes (but for `0` and `false`), else a terminal that is
 * not dumb may.
 */
export function hasColours(stream: Stream, env: Environment): boolean {
  if (given(env.NO_COLOR)) return false;
  if (given(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** How many columns a terminal has; nothing for a stream that is none. `COLUMNS` counts where the terminal does not tell. */
export function columnsOf(stream: Stream, env: Environment): number | undefined {
  if (stream.isTTY !== true) return undefined;
  const fromEnv = /^[1-9]\d{0,4}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : undefined;
  return stream.columns ?? fromEnv ?? 80;
}
