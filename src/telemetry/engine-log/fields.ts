/** Fields that several lines of the log have. */
import { UserError } from '../../model/errors.ts';

/** Where a bug comes from; an error that a person can correct needs no stack. */
export const stackOf = (error: unknown): Record<string, unknown> =>
  error instanceof UserError ? {} : { stacktrace: (error as Error).stack };

/** Seconds with one decimal. */
export const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;

export const messageOf = (error: unknown): string => (error as Error).message;
