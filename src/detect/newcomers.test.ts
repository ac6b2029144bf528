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
const waysIn = (...services: Service[]): string[] =>
  detected(...services).candidates.map(({ service: { name } }) => name);

describe('a Service that comes later and selects other Pods does not take the place of a backend', () => {
  const old = loki('loki', { created: OLD, selector: { app: 'loki' } });

  test('even with the name of a better way in', () => {
    expect(waysIn(old, loki('loki-gateway', { created: LATER, selector: { app: 'evil' } }))).toEqual([
      'loki',
    ]);
  });

  test('but one that was created with it does', () => {
    const gateway = loki('loki-gateway', { created: SOON, selector: { app: 'gateway' } });
    expect(waysIn(old, gateway)).toEqual(['loki-gateway']);
  });

  test('and one that leads to the same Pods does', () => {
    const gateway = loki('loki-gateway', { created: LATER, selector: { app: 'loki', role: 'read' } });
    expect(waysIn(old, gateway)).toEqual(['loki-gateway']);
  });

  test('where nobody says when a Service was created, nothing is known of newcomers', () => {
    expect(waysIn(loki('loki', { selector: { app: 'loki' } }), loki('loki-gateway'))).toEqual([
      'loki-gateway',
    ]);
  });

  test('it helps where the old one does not answer', () => {
    const [found] = detected(
      old,
      loki('loki-gateway', { created: LATER, selector: { app: 'b' } }),
    ).candidates;
    expect(found?.fallbacks.map(({ service: { name } }) => name)).toEqual(['loki-gateway']);
  });

  test('whatever Services come later, each backend keeps its way in', () => {
    const names = fc.constantFrom(
      'loki-gateway',
      'loki-read',
      'loki-query-frontend',
      'loki-a',
      'lok',
      'l-loki',
    );
    const newcomer = fc.record({ name: names, headless: fc.boolean(), annotated: fc.boolean() });
    fc.assert(
      fc.property(fc.uniqueArray(newcomer, { selector: ({ name }) => name }), (newcomers) => {
        const later = newcomers.map(({ name, headless, annotated }, index) =>
          loki(name, {
            headless,
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
