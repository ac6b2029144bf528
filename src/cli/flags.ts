/** Flags that several commands share, and functions that create flags. */
import { InvalidArgumentError, Option } from 'commander';
import { didYouMean } from '../model/nearest.ts';

/** Parses a revision number. */
export const revisionNumber = (value: string): number => {
  if (!/^[1-9]\d{0,15}$/.test(value)) throw new InvalidArgumentError('Not a revision number.');
  return Number(value);
};

/** Parses one of these words, and suggests the one that was probably meant. */
export const oneOf =
  (words: readonly string[]) =>
  (word: string): string => {
    if (words.includes(word)) return word;
    throw new InvalidArgumentError(`Allowed values: ${words.join(', ')}${didYouMean(word, words)}`);
  };

/** A flag whose value is one of these words. */
export const choice = (flags: string, description: string, words: readonly string[]): Option =>
  new Option(flags, description).choices(words).argParser(oneOf(words));

export const output = (words: readonly string[], preset: string): Option =>
  choice('-o, --output <format>', 'output format', words).default(preset);

/** A flag of other commands, which this one rejects with advice. */
export const unsupportedFlag = (flags: string, advice: string): Option =>
  new Option(flags).hideHelp().argParser(() => {
    throw new InvalidArgumentError(advice);
  });

export const quiet = (): Option => new Option('-q, --quiet', 'print only the result and errors');
