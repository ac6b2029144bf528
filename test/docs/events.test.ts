import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The reasons of Events in the code that creates them, and on the page. */
const reasonsIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap(([found]) => found.match(/(?<=['`])[A-Z]\w+(?=['`])/g) ?? []);

test('the page names the reason of each Event', () => {
  const code = readFileSync('src/telemetry/engine-events.ts', 'utf8');
  const [, section = ''] = readFileSync('docs/toolset.md', 'utf8').split('## Events\n');
  const table = section.split('\n## ')[0] ?? '';
  const created = reasonsIn(code, /reason: [^\n]*/g);
  const named = reasonsIn(table, /^\| `[^|]*/gm);
  expect(created.length).toBeGreaterThan(10);
  expect(new Set(named)).toEqual(new Set(created));
});

test('no page reads Events with kubectl get events, whose table cuts messages at the first line break', () => {
  const pages = [...globSync('docs/**/*.md'), 'README.md'];
  const commands = pages.flatMap(
    (page) => readFileSync(page, 'utf8').match(/^kubectl .*\bget events\b(?!.* -o).*$/gm) ?? [],
  );
  expect(commands).toEqual([]);
});
