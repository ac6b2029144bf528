import { expect, test } from 'vitest';
import type { Logger } from './logger.ts';
import { problemLog } from './problem-log.ts';

function logged(...passes: (readonly { where: string; what: string; fix?: string }[])[]): string[] {
  const lines: string[] = [];
  const log = { warn: (_: object, line: string) => lines.push(line) } as unknown as Logger;
  const tell = problemLog(log, 'x');
  for (const problems of passes) tell(problems, 1);
  return lines;
}

const left = (name: string) => ({
  where: `Service ${name}`,
  what: 'is left out: no credentials',
  fix: 'give some',
});
const other = { where: 'namespace a', what: 'listing was denied' };

test('a problem is logged once while it lasts, and again when it returns', () => {
  expect(logged([left('a')], [left('a')], [], [left('a')])).toEqual([
    'Service a: is left out: no credentials; give some',
    'Service a: is left out: no credentials; give some',
  ]);
});

test('many of one kind are one line', () => {
  const many = Array.from({ length: 125 }, (_, n) => left(`grafana-${n}`));
  expect(logged([...many, other])).toEqual([
    'Service grafana-0, Service grafana-1, Service grafana-2 and 122 more: is left out: no credentials; give some',
    'namespace a: listing was denied',
  ]);
});

test('of these only new ones are logged', () => {
  const many = Array.from({ length: 5 }, (_, n) => left(`grafana-${n}`));
  expect(logged(many, [...many, left('b')]).at(-1)).toBe('Service b: is left out: no credentials; give some');
});
