import type { ApprovedKind } from '../model/overrides.ts';
import { shellWord } from '../model/shell-word.ts';

/**
 * Where the overrides are, if not in a ConfigMap of the cluster.
 * - `file`: a file with nothing but overrides, which `approve` can edit
 * - `flag`: the flag with which to give that file, if it was not given
 * - `place`: what another place is called
 */
export type ApprovalPlace =
  | { readonly file: string; readonly flag?: string | undefined }
  | { readonly place: string };

/** The command that approves a Service in the cluster. */
export const approveCommand = (key: string): string => `dynamic-toolset approve ${key}`;

/** What approves a Service: a command, or an instruction. */
export function approveText(key: string, kind: ApprovedKind, place: ApprovalPlace | undefined): string {
  if (place === undefined) return approveCommand(key);
  if ('place' in place) return `set approved: ${kind} for ${key} under tools in ${place.place}`;
  const file = shellWord(place.file);
  const command = `${approveCommand(key)} --type ${kind} --file ${file}`;
  return place.flag === undefined ? command : `${command}, and give that file with ${place.flag} ${file}`;
}
