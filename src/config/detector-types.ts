import * as z from 'zod';
import { detectorOptions } from '../model/detector-options.ts';
import { suggestOrList } from '../model/nearest.ts';
import { builtInDetectors } from './detector-files.ts';
import type { UserDetectors } from './user-detectors.ts';

/** The types of detectors that a configuration may name. */
export interface DetectorTypes {
  readonly known: readonly string[];
  /** Whether there are no others: a faulty file of a custom detector may have another type. */
  readonly isComplete: boolean;
}

/** The types of the built-in detectors and of the custom ones. */
export function detectorTypes(custom: readonly UserDetectors[]): DetectorTypes {
  const own = custom.flatMap(({ detectors }) => detectors.map(({ detector }) => detector.type));
  const builtIn = builtInDetectors().detectors.map(({ type }) => type);
  return {
    known: [...new Set([...builtIn, ...own])].sort(),
    isComplete: custom.every(({ problems }) => problems.length === 0),
  };
}

/** The message about an unknown type. */
export const unknownType = (type: string, known: readonly string[]): string =>
  `there is no detector of this type${suggestOrList(type, known, 'there are')}`;

/** The schema of options by type, with a check that there are detectors of these types. */
export const optionsFor = (types: () => DetectorTypes) =>
  z.record(
    z
      .string()
      .min(1)
      .superRefine((type, context) => {
        const { known, isComplete } = types();
        if (isComplete && !known.includes(type))
          context.addIssue({ code: 'custom', message: unknownType(type, known) });
      }),
    detectorOptions,
  );
