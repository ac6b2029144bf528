import type { Observed } from './observed.ts';
import { isOurs, SHARD_LABEL } from './plan.ts';

const REMEDY = 'choose another with --configmap-name, or let serve take it over with --force';

/** What else a ConfigMap is, by its labels, as the rest of a sentence; `undefined` if it may be ours. */
export function ownerElsewhere(live: Parameters<typeof isOurs>[0]): string | undefined {
  if (live.labels[SHARD_LABEL] !== undefined)
    return `it has a part of the documents of the ConfigMap ${live.labels['kubernaut.io/configmap']}`;
  const manager = live.labels['app.kubernetes.io/managed-by'];
  return manager === undefined || isOurs(live) ? undefined : `it is managed by ${manager} and was never ours`;
}

/**
 * Returns why the object must not be written to, or `undefined` if it may. A ConfigMap that only has keys of users, such as
 * `overrides.yaml`, may be written to.
 * @param force whether the user asked to take it over
 */
export function refusal(live: Observed | undefined, force: boolean): string | undefined {
  if (live === undefined) return undefined;
  if (live.immutable === true)
    return 'it is immutable, so nothing in it can be changed; delete it, or choose another with --configmap-name';
  if (force) return undefined;
  const other = ownerElsewhere(live);
  if (other !== undefined) return `${other}; ${REMEDY}`;
  if (isOurs(live)) return undefined;
  const theirs = live.names.filter(
    (key) => live.data[key] !== undefined || live.binary?.includes(key) === true,
  );
  return theirs.length === 0
    ? undefined
    : `it has ${theirs.join(' and ')} that somebody else wrote; move what you need into overrides.yaml and remove the rest, or ${REMEDY}`;
}
