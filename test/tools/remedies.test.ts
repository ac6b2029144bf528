import { expect, test } from 'vitest';
import { readConfigData } from '../../src/config/config-map.ts';
import { detectorTypes } from '../../src/config/detector-types.ts';
import { isPlaced, recallBackend } from '../../src/controller/outcome.ts';
import { toolKinds } from '../../src/controller/pass.ts';
import { detect } from '../../src/detection/detect.ts';
import { explain } from '../../src/detection/explain.ts';
import { makeRules } from '../../src/detection/make-rules.ts';
import { apiElsewhere } from '../../src/model/api-elsewhere.ts';
import { servicesWithEndpoint } from '../../src/model/overrides.ts';
import { generate } from '../../src/outputs/generate.ts';
import { readOverrides } from '../../src/outputs/read-overrides.ts';
import { builtIn, candidate, options, rules } from '../fixtures/unit/detection.ts';
import { keyFor, service } from '../fixtures/unit/service.ts';

const logs = service('loki', { labels: { app: 'loki' }, ports: [3100] });
const found = candidate(logs);
const { problem } = recallBackend(
  found,
  { rules, inUse: new Set(), placed: new Set(), named: new Set(), companions: new Map(), now: 0 },
  () => ({
    health: 'unhealthy',
    authRequired: false,
    proof: 'contradicted',
    reason: 'GET /ready answered 302',
    steps: [],
  }),
  false,
);

/** The word that follows a text in the remedy. */
const wordAfter = (text: string): string => {
  const [, word = ''] = new RegExp(`${text} (\\S+?),? `).exec(problem?.fix ?? '') ?? [];
  return word;
};

test('the remedy for answers that contradict the type works exactly as it is written: the URL', () => {
  const [key, part] = [wordAfter('the endpoint of'), wordAfter('under')];
  const read = readOverrides(`${part}: { ${key}: { endpoint: http://loki.monitoring:3100/logs } }`);
  if ('faults' in read) throw new Error(JSON.stringify(read));
  expect(isPlaced(found, servicesWithEndpoint(read.value))).toBe(true);
});

test('the same for the path', () => {
  const [, setting = '', type, option, key] =
    /its path in (\w+)\.(\w+)\.(\w+)\["(.+)"\]$/.exec(problem?.fix ?? '') ?? [];
  const data = { [setting]: `${type}: { ${option}: { ${key}: /logs } }` };
  const { detectors, faults } = readConfigData(data, 'here', () => detectorTypes([]));
  expect(faults).toEqual([]);
  const { rules: set } = makeRules(builtIn, { added: [], options: detectors, disabled: [] });
  expect(detect([logs], set, options).candidates[0]?.endpoint.path).toBe('/logs');
});

test('a backend without paths is told about its URL only', () => {
  const kafka = candidate(service('kafka', { labels: { app: 'kafka' }, ports: [9092] }));
  expect(apiElsewhere(kafka)).toBe(
    'if it listens at another port, give its URL as the endpoint of monitoring/kafka under tools in overrides.yaml',
  );
});

test('the remedy for a Service on another port works exactly as it is written', () => {
  const other = service('prometheus', { labels: { app: 'prometheus-server' }, ports: ['foo:4242'] });
  const told = explain([other], keyFor('monitoring/prometheus'), rules, options);
  const { fix = '' } = told?.detectors.find((detector) => detector.fix !== undefined) ?? {};
  const [, type, key, part] =
    /give (\S+) and its URL .* of (\S+) under (\S+) in overrides\.yaml/.exec(fix) ?? [];
  const read = readOverrides(
    `${part}: { ${key}: { type: ${type}, endpoint: http://prometheus.monitoring:4242 } }`,
  );
  if ('faults' in read) throw new Error(JSON.stringify(read));
  expect(
    generate([], {
      overrides: read.value,
      kinds: toolKinds(rules),
      credentials: {},
      holmesgptVersion: '0.32',
    }).tools,
  ).toMatchObject([{ type: 'prometheus' }]);
});
