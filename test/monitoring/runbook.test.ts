import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alertRules } from './alert-rules.ts';

const runbook = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
const headings = [...runbook.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);

test('each alert has a section in the runbook, and each alert section belongs to an existing alert', () => {
  const sections = headings.filter((heading) => heading.startsWith('DynamicToolset'));
  expect(sections).toEqual(alertRules().map(({ alert }) => alert));
});

test('each link within the runbook points to an existing section', () => {
  const anchors = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...runbook.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor);
  expect(links.length).toBeGreaterThan(10);
  expect(anchors).toEqual(expect.arrayContaining(links));
});
