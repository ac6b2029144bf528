import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Problem } from '../model/discovery.ts';
import type { Logger } from './logger.ts';
import { problemLog } from './problem-log.ts';

/** A log of problems with a clock that the test moves. */
function problemLogAt(): {
  readonly lines: string[];
  /** Lines about problems that ended. */
  readonly resolved: string[];
  readonly report: (...problems: readonly Problem[]) => void;
  /** Reports some of the problems. */
  readonly partly: (...problems: readonly Problem[]) => void;
  readonly wait: (seconds: number) => void;
} {
  const lines: string[] = [];
  let time = 5_000;
  const resolved: string[] = [];
  const log = {
    warn: (_: object, line: string) => lines.push(line),
    info: (_: object, line: string) => resolved.push(line),
  } as unknown as Logger;
  const write = problemLog(log, 'x', () => time);
  const wait = (seconds: number): void => {
    time += seconds * 1000;
  };
  return {
    lines,
    resolved,
    report: (...problems) => write(problems, 1),
    partly: (...problems) => write(problems, 1, true),
    wait,
  };
}

const left = (name: string): Problem => ({
  where: `Service ${name}`,
  what: 'is left out: no credentials',
  fix: 'give some',
});
const flood = (count: number, where = 'namespace shop'): Problem => ({
  where,
  what: `${count} of its Services are left out`,
});
const other: Problem = { where: 'namespace a', what: 'listing was denied' };

test('a problem is logged once while it lasts, and again at once when it returns', () => {
  const { lines, report } = problemLogAt();
  report(left('a'));
  report(left('a'));
  report();
  report(left('a'));
  expect(lines).toEqual([
    'Service a: is left out: no credentials; give some',
    'Service a: is left out: no credentials; give some',
  ]);
});

test('the end of a problem is logged once, when its place has no other one', () => {
  const { resolved, report } = problemLogAt();
  report(flood(7), other);
  report(flood(8), other);
  expect(resolved).toEqual([]);
  report(other);
  report(other);
  expect(resolved).toEqual(['ended: namespace shop: 8 of its Services are left out']);
  report();
  expect(resolved.splice(0).slice(1)).toEqual(['ended: namespace a: listing was denied']);
  report(...Array.from({ length: 5 }, (_, n) => left(`${n}`)));
  report();
  expect(resolved).toEqual([
    'ended: Service 0, Service 1, Service 2 and 2 more: is left out: no credentials',
  ]);
  // The last one that was logged is named, also if others came after it.
  resolved.splice(0);
  for (let count = 100; count < 120; count++) report(flood(count));
  report();
  expect(resolved).toEqual(['ended: namespace shop: 100 of its Services are left out']);
  // Nothing was logged about this one.
  report(flood(1));
  report();
  expect(resolved).toHaveLength(1);
});

test('nothing ends while not all problems are known, and nothing is logged again afterwards', () => {
  const { lines, resolved, report, partly } = problemLogAt();
  report(flood(7), other);
  partly();
  partly(left('a'));
  report(flood(7), other);
  expect(lines).toHaveLength(3);
  expect(resolved).toEqual(['ended: Service a: is left out: no credentials']);
});

test('many of one kind are one line, and of these only new ones are logged', () => {
  const { lines, report } = problemLogAt();
  const many = Array.from({ length: 125 }, (_, n) => left(`grafana-${n}`));
  report(...many, other);
  expect(lines.splice(0)).toEqual([
    'Service grafana-0, Service grafana-1, Service grafana-2 and 122 more: is left out: no credentials; give some',
    'namespace a: listing was denied',
  ]);
  report(...many, left('b'), other);
  expect(lines).toEqual(['Service b: is left out: no credentials; give some']);
});

test('a number that changes all the time is logged three times at once, then once a minute with its current value', () => {
  const { lines, report, wait } = problemLogAt();
  for (let seconds = 0; seconds < 130; seconds += 7) {
    report(flood(seconds));
    wait(7);
  }
  expect(lines.map((line) => Number(/\d+/.exec(line)))).toEqual([0, 7, 14, 63, 126]);
});

test('neither alternating numbers nor a problem that comes and goes write more than three lines and one more a minute', () => {
  const step = fc.record({ count: fc.nat(3), seconds: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { lines, report, wait } = problemLogAt();
      let seconds = 0;
      for (const each of steps) {
        report(...(each.count === 0 ? [] : [flood(each.count)]));
        wait(each.seconds);
        seconds += each.seconds;
      }
      expect(lines.length).toBeLessThanOrEqual(3 + seconds / 60);
    }),
  );
});

test('a problem that changes all the time keeps neither another one of its place nor another place silent', () => {
  const { lines, report } = problemLogAt();
  for (let count = 100; count < 120; count++) report(flood(count));
  lines.splice(0);
  const denied = { where: 'namespace shop', what: 'listing EndpointSlices was denied' };
  report(flood(120), denied, flood(1, 'namespace b'));
  expect(lines).toEqual([
    'namespace shop: listing EndpointSlices was denied',
    'namespace b: 1 of its Services are left out',
  ]);
});

test('a problem that was not logged is logged as soon as its place may have a line, if it lasts', () => {
  const { lines, report, wait } = problemLogAt();
  for (let count = 100; count < 120; count++) report(flood(count));
  lines.splice(0);
  report(flood(7));
  expect(lines).toEqual([]);
  wait(60);
  report(flood(7));
  wait(60);
  report(flood(7));
  expect(lines).toEqual(['namespace shop: 7 of its Services are left out']);
});

test('any number of problems of one place are logged when they appear together', () => {
  const { lines, report } = problemLogAt();
  const broken = Array.from({ length: 30 }, (_, n) => ({
    where: 'a.yaml',
    what: `a Service is skipped: number ${n}`,
  }));
  report(...broken);
  expect(lines).toHaveLength(30);
});
