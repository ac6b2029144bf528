/**
 * How certain a signal is, most certain first. `annotation` is a declaration of the Service's owner, `operator` a label
 * that only an operator sets. A `hint` counts only together with a proof by a probe.
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
