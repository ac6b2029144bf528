import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detected } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Service } from '../model/service.ts';

const OLD = '2026-01-01T00:00:00Z';
const SOON = '2026-01-01T00:05:00Z';
const LATER = '2026-03-01T00:00:00Z';

const loki = (name: string, fields: Parameters<typeof service>[1] = {}): Service =>
  service(name, { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http-metrics:3100'], ...fields });
/** Of the installation `a`, with Pods of its own. */
const part = (name: string, app: string, fields: Parameters<typeof service>[1] = {}): Service =>
  loki(name, { labels: { 'app.kubernetes.io/name': 'loki', release: 'a' }, selector: { app }, ...fields });
const waysIn = (...services: Service[]): string[] =>
  detected(...services).candidates.map(({ service: { name } }) => name);

describe('a newer Service does not replace a backend', () => {
  const old = part('loki', 'loki', { created: OLD });

  test('even with the name of a better entry point, and labels of the same installation', () => {
    expect(waysIn(old, part('loki-gateway', 'evil', { created: LATER }))).toEqual(['loki']);
  });

  test('but a Service that was created with it does', () => {
    expect(waysIn(old, part('loki-gateway', 'gateway', { created: SOON }))).toEqual(['loki-gateway']);
  });

  test.each([
    ['the same Pods', { app: 'loki' }],
    ['some of its Pods', { app: 'loki', role: 'read' }],
  ])('not even if it selects %s', (_, selector) => {
    expect(waysIn(old, loki('loki-gateway', { created: LATER, selector }))).toEqual(['loki']);
  });

  test('without creation times, no Service counts as newer', () => {
    expect(waysIn(part('loki', 'loki'), part('loki-gateway', 'gateway'))).toEqual(['loki-gateway']);
  });

  test('a newer Service helps if the old one does not respond', () => {
    const [found] = detected(old, part('loki-gateway', 'b', { created: LATER })).candidates;
    expect(found?.fallbacks.map(({ service: { name } }) => name)).toEqual(['loki-gateway']);
  });

  test('whatever Services are added later, each backend keeps its entry point', () => {
    const names = fc.constantFrom(
      'loki-gateway',
      'loki-read',
      'loki-query-frontend',
      'loki-a',
      'lok',
      'l-loki',
    );
    const newcomer = fc.record({
      name: names,
      headless: fc.boolean(),
      annotated: fc.boolean(),
      release: fc.constantFrom('a', 'b'),
    });
    fc.assert(
      fc.property(fc.uniqueArray(newcomer, { selector: ({ name }) => name }), (newcomers) => {
        const later = newcomers.map(({ name, headless, annotated, release }, index) =>
          loki(name, {
            headless,
            labels: { 'app.kubernetes.io/name': 'loki', release },
            created: LATER,
            selector: { app: `other-${index}` },
            annotations: annotated
              ? { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': 'loki' }
              : {},
          }),
        );
        expect(waysIn(old, ...later)).toContain('loki');
      }),
    );
  });
});

test('a Service that matches only by name comes after those that match by labels', () => {
  const labels = { release: 'a' };
  const named = service('loki-gateway', { labels, selector: { app: 'x' }, ports: ['http-metrics:3100'] });
  expect(waysIn(named)).toEqual(['loki-gateway']);
  const [found] = detected(part('loki', 'loki'), named).candidates;
  expect([found?.service.name, found?.alternates]).toEqual(['loki', ['loki-gateway']]);
});
