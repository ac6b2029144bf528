import { isShortPath, pathText } from '../model/visible.ts';
import { type Fault, type Faults, MAX_FAULTS, type Place } from '../model/yaml-text.ts';

/** A fault in a text. The agent ignores a `warning`, and refuses a `fault`. */
export interface ContentFault extends Fault {
  readonly level: 'fault' | 'warning';
}

/** What is wrong with a text. If there are too many faults and warnings, the faults come first. */
export interface ContentFaults {
  readonly faults: readonly ContentFault[];
  /** How many more there are. */
  readonly more: number;
  /** Whether at least one of all is a fault. */
  readonly refused: boolean;
}

/** A fault at a place in a value, before its line and column are known. */
export interface ValueFault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly level: 'fault' | 'warning';
}

/** Faults of a text that its schema refuses; none for anything else. */
export const asFaults = (read: Faults | object): ContentFaults =>
  'faults' in read
    ? { faults: read.faults.map((each) => ({ ...each, level: 'fault' })), more: read.more, refused: true }
    : { faults: [], more: 0, refused: false };

/** Faults in a value with their places in its text. */
export function placed(
  found: readonly ValueFault[],
  placeOf: (path: readonly PropertyKey[]) => Place,
): ContentFaults {
  const isFault = ({ level }: ValueFault): boolean => level === 'fault';
  const kept =
    found.length <= MAX_FAULTS
      ? found
      : [...found.filter(isFault), ...found.filter((each) => !isFault(each))].slice(0, MAX_FAULTS);
  return {
    faults: kept.map(({ path, message, level }) => ({
      ...placeOf(path),
      ...(isShortPath(path) ? { path } : {}),
      message: path.length === 0 ? message : `${pathText(path)}: ${message}`,
      level,
    })),
    more: found.length - kept.length,
    refused: found.some(isFault),
  };
}
