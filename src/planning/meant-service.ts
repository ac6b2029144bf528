import { nearest } from '../model/nearest.ts';

/** The key of the Service that was probably meant: a similar key, or the same name in another namespace. */
export function meantService(key: string, known: readonly string[]): string | undefined {
  const name = key.slice(key.indexOf('/'));
  return nearest(key, known) ?? known.find((each) => each.endsWith(name));
}
