import { expect, test } from 'vitest';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import { plan, SEARCHED_NAMESPACES } from '../planning/plan.ts';
import { searchedByServe, searchedText } from './searched.ts';

const DOCUMENTS = { 'toolset.json': '{}', 'custom_toolset.yaml': '' };
const published = (searched: string) => {
  const { labels, annotations } = plan({ ...toolset(DOCUMENTS), searched }, undefined, '1');
  return { data: DOCUMENTS, labels, annotations };
};

test.each([
  [['b', 'a', 'b'], 'a,b', ['a', 'b']],
  [['a', '*'], '*', ['*']],
  [[], '', undefined],
  [Array.from({ length: 2_000 }, (_, index) => `namespace-${index}`), '', undefined],
])('the searched namespaces are recorded in short, and read back (%#)', (searched, text, read) => {
  expect(searchedText(searched)).toBe(text);
  expect(searchedByServe(observed(published(text)))).toEqual(read);
});

test('what is no list of namespaces is not used', () => {
  expect(searchedByServe(observed(published('Not a Name')))).toBeUndefined();
  expect(searchedByServe(undefined)).toBeUndefined();
});

test('a publication that does not know them, such as a rollback, keeps them', () => {
  const kept = plan(toolset(DOCUMENTS), published('a'), '1');
  expect(kept.annotations[SEARCHED_NAMESPACES]).toBe('a');
  expect(plan({ ...toolset(DOCUMENTS), searched: '' }, published('a'), '1').changes).toContain(
    `annotation ${SEARCHED_NAMESPACES}`,
  );
});
