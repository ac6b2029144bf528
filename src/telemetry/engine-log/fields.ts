/** Log fields that several topics share. */
import { UserError } from '../../model/errors.ts';

/** The stack trace of a bug. An error that the user can fix needs none. */
export const stackOf = (error: unknown): Record<string, unknown> =>
  error instanceof UserError ? {} : { stacktrace: (error as Error).stack };

/** Seconds with one decimal. */
export const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;

export const messageOf = (error: unknown): string => (error as Error).message;

/** Maximum entries that a line names. */
const MAX_NAMES = 10;

/** The end of a line that names some of these: `: a, b and 3 more`; empty if there are none. */
export function someOf(names: readonly string[]): string {
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  return names.length === 0 ? '' : `: ${names.slice(0, MAX_NAMES).join(', ')}${more}`;
}
