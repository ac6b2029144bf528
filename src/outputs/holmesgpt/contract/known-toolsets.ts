import { didYouMean } from '../../../model/nearest.ts';
import { HOLMES, own } from './models.ts';

/** Whether HolmesGPT has a built-in toolset of this name, or had one. */
export const isKnownName = (name: string): boolean =>
  own(HOLMES.toolsets, own(HOLMES.renamedNames, name) ?? name) !== undefined ||
  HOLMES.removedNames.includes(name);

/** The end of a message about an unknown toolset: a suggestion, or an empty string. */
export const meantToolset = (name: string): string => didYouMean(name, Object.keys(HOLMES.toolsets));
