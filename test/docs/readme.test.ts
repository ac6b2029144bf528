/** What the README says about the products, compared with the detectors. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtInDetectors } from '../../src/config/detector-files.ts';
import { makeRules } from '../../src/detection/make-rules.ts';

const page = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
const types = [...makeRules(builtInDetectors()).rules.byType.keys()];

test('the table "What it detects" has a row for each detector, and no other', () => {
  const [, section = ''] = page.split('## What it detects');
  const [table = ''] = section.split('\n## ');
  const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, type]) => type);
  expect(listed).toEqual(types.toSorted());
});

test('the number of products is that of the detectors of one product', () => {
  const products = types.filter((type) => type !== 'custom' && type !== 'mcp');
  const [, count] = /\bFor (\d+) products,/.exec(page) ?? [];
  expect(Number(count)).toBe(products.length);
});
