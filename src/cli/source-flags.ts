import { type ChosenSource, chosenManifests } from '../app/chosen-source.ts';
import type { CliContext } from './cli-context.ts';

/** A repeatable flag that chooses a source instead of the cluster. */
export interface SourceFlag {
  readonly letter?: string;
  readonly flag: string;
  readonly placeholder: string;
  readonly description: string;
  /** @param values those of the flag, at least one */
  choose(values: readonly string[], cli: CliContext): ChosenSource;
}

/** All sources except the cluster, which is read if none of these flags is given. */
export const SOURCE_FLAGS: readonly SourceFlag[] = [
  {
    letter: '-f',
    flag: '--filename',
    placeholder: 'path',
    description: 'read manifests instead of a cluster: file, folder or - for standard input (repeatable)',
    choose: (paths, { stdin }) => chosenManifests(paths, stdin),
  },
];
