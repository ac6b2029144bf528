import type { Observed } from './observed.ts';
import { isOurs, SHARD_LABEL } from './plan.ts';

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
  if (live.labels[SHARD_LABEL] !== undefined)
    return `it has a part of the documents of the ConfigMap ${live.labels['kubernaut.io/configmap']}; choose another with --configmap-name`;
  if (isOurs(live)) return undefined;
  const remedy = 'choose another with --configmap-name, or take it over with --force';
  const manager = live.labels['app.kubernetes.io/managed-by'];
  if (manager !== undefined) return `it is managed by ${manager} and was never ours; ${remedy}`;
  const theirs = live.names.filter(
    (key) => live.data[key] !== undefined || live.binary?.includes(key) === true,
  );
  return theirs.length === 0
    ? undefined
    : `it has ${theirs.join(' and ')} that somebody else wrote; move what you need into overrides.yaml and remove the rest, or ${remedy}`;
}
