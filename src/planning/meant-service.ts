import { nearest } from '../model/nearest.ts';

/** The key of a Service that was probably meant: one that is written alike, or one with that name elsewhere. */
export function meantService(key: string, known: readonly string[]): string | undefined {
  const name = key.slice(key.indexOf('/'));
  return nearest(key, known) ?? known.find((each) => each.endsWith(name));
}
