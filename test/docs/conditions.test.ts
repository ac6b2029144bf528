import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CONDITION_REASONS, CONDITION_TYPES } from '../../src/model/condition.ts';

/** The reasons that each section of the page names. */
const sections = new Map(
  readFileSync('docs/conditions.md', 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = ''] = section.split('\n');
      const cells = section.split('\n').filter((line) => line.startsWith('| `'));
      const names = cells.flatMap((line) => line.split('|')[1]?.match(/(?<=`)\w+(?=`)/g) ?? []);
      return [title, names] as const;
    }),
);

test('the page has a section for each condition', () => {
  expect([...sections.keys()]).toEqual(CONDITION_TYPES);
});

// What is said of NotFound under Detected holds for all.
test.each(CONDITION_TYPES)('the page names the reasons of %s', (type) => {
  const reasons = CONDITION_REASONS[type].filter((reason) => type === 'Detected' || reason !== 'NotFound');
  const named = sections.get(type)?.filter((reason) => type === 'Detected' || reason !== 'NotFound');
  expect(named?.toSorted()).toEqual(reasons.toSorted());
});
