import type { Rendered } from './chart.ts';
import type { Asked } from './recorder.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

interface Binding {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly name: string }[];
}

/**
 * Every single right that roles give to an account: a verb on one kind of resource, of one name where the rule has
 * names.
 */
export function rightsOf(objects: readonly Rendered[], account: string): Asked[] {
  const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding')) as unknown as Binding[];
  const roles = objects.filter(({ kind, metadata: { name } }) =>
    bindings.some(
      ({ roleRef, subjects }) =>
        roleRef.kind === kind &&
        roleRef.name === name &&
        subjects.some((subject) => subject.name === account),
    ),
  );
  return roles.flatMap(({ metadata: { namespace }, rules }) =>
    (rules as readonly Rule[]).flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          resourceNames.flatMap((name) => verbs.map((verb) => ({ verb, group, resource, namespace, name }))),
        ),
      ),
    ),
  );
}

/** Whether a request is one that a right is for. */
export const isOf = (asked: Asked, right: Asked): boolean =>
  asked.verb === right.verb &&
  asked.group === right.group &&
  asked.resource === right.resource &&
  (right.name === undefined || right.name === asked.name) &&
  (right.namespace === undefined || right.namespace === asked.namespace);
