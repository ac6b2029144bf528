import { expect, test } from 'vitest';
import { detect } from '../../src/detection/detect.ts';
import { overridesSchema } from '../../src/model/overrides.ts';
import type { Service } from '../../src/model/service.ts';
import { toolsOf } from '../../src/planning/tools.ts';
import { discovered, options, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';

const first = { namespace: 'evil', labels: { app: 'prometheus' }, ports: [9090] };
const selector = { app: 'p', tier: 'a' };
const prom = service('prom', { ...first, selector });
const again = service('zebra', { ...first, selector: { ...selector, more: 'x' } });
const OFF = { 'evil/prom': { enabled: false } };

function published(services: readonly Service[], tools: object = OFF) {
  const { candidates } = detect(services, rules, options);
  const found = candidates.map((each) => ({ ...discovered(each.service), ...each }));
  const made = toolsOf(found, overridesSchema.parse({ tools }), new Map());
  return { tools: made.tools.map(({ key }) => key), notes: made.notes };
}

test('a Service that is switched off does not come back as another one of its Pods', () => {
  const annotated = (annotations: Record<string, string>): Service => ({ ...prom, annotations });
  const originals = [
    prom,
    annotated({ 'kubernaut.io/toolset': 'false' }),
    annotated({ 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-endpoint': 'http://elsewhere' }),
  ];
  for (const original of originals)
    for (const other of [{ ...selector, more: 'x' }, { app: 'p' }, selector]) {
      const found = published([original, { ...again, selector: other }]);
      expect(found.tools).toEqual([]);
    }
});

test('it says so, and what to write to have it all the same', () => {
  expect(published([prom, again]).notes).toEqual([
    {
      where: 'Service evil/zebra',
      what: 'is left out: it leads to Pods of evil/prom, which overrides.yaml switches off',
      fix: 'if you want it, write enabled: true under tools, evil/zebra',
    },
  ]);
  expect(published([prom, again], { ...OFF, 'evil/zebra': { enabled: true } }).tools).toEqual(['evil/zebra']);
});

test('other Pods, another product in the same Pods and another namespace stay', () => {
  const others = [
    service('zebra', { ...first, selector: { app: 'p', tier: 'b' } }),
    service('loki', { namespace: 'evil', labels: { app: 'loki' }, ports: ['http:3100'], selector }),
    service('prom', { ...first, namespace: 'good', selector }),
  ];
  expect(published([prom, ...others]).tools.sort()).toEqual(['evil/loki', 'evil/zebra', 'good/prom']);
});
