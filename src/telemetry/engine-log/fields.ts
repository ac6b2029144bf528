/** Log fields that several topics share. */
import { UserError } from '../../model/errors.ts';

/** The stack trace of a bug. An error that the user can fix needs none. */
export const stackOf = (error: unknown): Record<string, unknown> =>
  error instanceof UserError ? {} : { stacktrace: (error as Error).stack };

/** Seconds with one decimal. */
export const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;

export const messageOf = (error: unknown): string => (error as Error).message;
