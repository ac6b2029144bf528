import { nearest } from '../model/nearest.ts';
import { objectName } from '../model/part.ts';

/**
 * Edits in a typo. What a user writes for a Service may be a token, and a Service that is not known may be meant, so a
 * suggestion must be close.
 */
const TYPO = 2;

/** A key without the port of a part. */
const wholeOf = (key: string): string => objectName({ name: key });

/** The namespace of a key. */
const placeOf = (key: string): string => key.slice(0, key.lastIndexOf('/'));

/**
 * The key of the Service that was probably meant. It is in the namespace that the key names, unless no Service is known
 * there: another namespace may have another owner, who would receive what was meant for a Service that is gone. For the
 * same reason, a Service of the same name in another namespace is not suggested. Another port is another product: of a Service,
 * only the whole is suggested.
 * @param key `NAMESPACE/SERVICE`, or `NAMESPACE/SERVICE:PORT`
 * @param known the keys of all known Services
 */
export function meantService(key: string, known: readonly string[]): string | undefined {
  const whole = wholeOf(key);
  if (whole !== key && known.includes(whole)) return whole;
  const others = known.filter((each) => wholeOf(each) === each || wholeOf(each) !== whole);
  const there = others.filter((each) => placeOf(each) === placeOf(key));
  return nearest(key, there.length === 0 ? others : there, TYPO);
}

/**
 * The namespace that was probably meant: none, if a backend is known in the one that is named.
 * @param possible the namespaces that could be meant
 * @param known the namespaces with backends
 */
export const meantNamespace = (
  namespace: string,
  possible: readonly string[],
  known: readonly string[],
): string | undefined => (known.includes(namespace) ? undefined : nearest(namespace, possible));
