import { NoClusterError, UnreachableError, type UserError } from '../model/errors.ts';

const READ_MANIFESTS = 'read manifests with -f';

/** What a command can do without a cluster. */
const ALTERNATIVES: ReadonlyMap<string, string> = new Map([
  ['discover', READ_MANIFESTS],
  ['explain', READ_MANIFESTS],
  ['generate', READ_MANIFESTS],
  ['serve', `${READ_MANIFESTS}, and publish to a file with --out`],
  ['approve', 'edit a file with --file'],
]);

/** The message of an error; if there is no cluster, with what this command can do without one. */
export function withAlternative(error: UserError, command: string | undefined): string {
  const alternative = ALTERNATIVES.get(command ?? '');
  const needsCluster = error instanceof NoClusterError || error instanceof UnreachableError;
  return needsCluster && alternative !== undefined ? `${error.message}, or ${alternative}` : error.message;
}
