import { expect, test } from 'vitest';
import { detectorOptions } from './detector-options.ts';

test.each<[pattern: string, isValid: boolean]>([
  ['monitoring', true],
  ['team-*', true],
  ['*', true],
  ['*-prod-*', true],
  ['Monitoring', false],
  ['a b', false],
  ['a,b', false],
  ['a/b', false],
  ['-a', false],
])('a pattern of namespaces that none can match is refused: %j', (pattern, isValid) => {
  for (const key of ['namespaces', 'excludeNamespaces'])
    expect(detectorOptions.safeParse({ [key]: [pattern] }).success).toBe(isValid);
});
