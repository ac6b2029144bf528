/**
 * How sure a signal makes us, most certain first. `annotation` is the word of the Service's owner, `operator` a label
 * that only an operator sets, `hint` counts only together with a proof by probing.
 */
export const CERTAINTIES = [
  'annotation',
  'operator',
  'component',
  'recommended',
  'label',
  'selector',
  'name',
  'hint',
] as const;
