import type { Command } from 'commander';
import { countOf } from '../model/count-of.ts';
import { shellWord } from '../model/shell-word.ts';

/** What people who write an argument meant, by command. */
const MEANT: Readonly<Record<string, (argument: string) => string>> = {
  rollback: (argument) => `did you mean --to ${argument}?`,
  history: (argument) => `did you mean --revision ${argument}?`,
  discover: (argument) => `did you mean --namespace ${argument}?`,
  generate: (argument) => `did you mean --namespace ${argument}?`,
  diff: (argument) => `did you mean --namespace ${argument}?`,
  serve: () => 'flags such as --once and --leader-elect take no value',
};

/** Ends the program if a command has more arguments than it takes, with the first of these and what was meant. */
export function refuseExcess(command: Command): void {
  const { args, registeredArguments: known } = command;
  const first = args[known.length];
  if (first === undefined || known.at(-1)?.variadic === true) return;
  const takes = known.length === 0 ? 'no arguments' : `only ${countOf(known.length, 'argument')}`;
  const hint = MEANT[command.name()]?.(shellWord(first));
  const end = hint === undefined ? '' : `; ${hint}`;
  command.error(`error: unexpected argument ${shellWord(first)}: ${command.name()} takes ${takes}${end}`);
}
