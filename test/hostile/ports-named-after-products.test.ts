import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { toolKinds } from '../../src/controller/pass.ts';
import { detect } from '../../src/detection/detect.ts';
import { credentialsByBackend } from '../../src/model/credentials.ts';
import type { DiscoveredService } from '../../src/model/discovery.ts';
import type { Service } from '../../src/model/service.ts';
import { type GenerateOptions, generate } from '../../src/outputs/generate.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { discovered, options, rules } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';
import { SCALE } from '../scale.ts';

const VERDICT = {
  ...discovered(service('p', { labels: { app: 'loki' }, ports: [3100] })).verdict,
  proof: 'proven',
} as const;

const PORTS = {
  loki: 3100,
  tempo: 3200,
  prometheus: 9090,
  alertmanager: 9093,
  'jaeger-query': 16_686,
  pyroscope: 4040,
  mcp: 8000,
};
/** A Service of a tenant: Grafana, and whatever else its ports say. */
const lgtm = (names: readonly (keyof typeof PORTS)[], fields: Partial<Service> = {}): Service => ({
  ...service('lgtm', {
    labels: { app: 'grafana' },
    selector: { app: 'lgtm' },
    ports: ['http:3000', ...names.map((name) => `${name}:${PORTS[name]}`)],
  }),
  ...fields,
});
const named = fc.subarray(Object.keys(PORTS) as (keyof typeof PORTS)[]);

/** The backends, each of which proved what it looks like. */
const proven = (...services: readonly Service[]): DiscoveredService[] =>
  detect(services, rules, options).candidates.map((each) => ({ ...each, verdict: VERDICT }));

function made(found: readonly DiscoveredService[], more: Partial<GenerateOptions> = {}) {
  const { documents, tools } = generate(found, {
    ...{ holmesgptVersion: '0.32', kinds: toolKinds(rules), overrides: overridesSchema.parse({}) },
    ...{ credentials: {}, ...more },
  });
  return { tools, text: documents['custom_toolset.yaml'] ?? '' };
}

/** The toolsets whose entry has a text. */
function toolsetsWith(text: string, wanted: string): string[] {
  const { toolsets = {} } = parse(text) as { toolsets?: Record<string, unknown> };
  return Object.keys(toolsets).filter((name) => JSON.stringify(toolsets[name]).includes(wanted));
}

test('what people trust a Service with is not for its parts: credentials, approvals and options', () => {
  fc.assert(
    fc.property(named, (names) => {
      const found = proven(lgtm(names));
      const credentials = credentialsByBackend.parse({ 'monitoring/lgtm': { bearerToken: 'SECRET' } });
      const backends = { 'monitoring/lgtm': { additional_headers: { Authorization: 'OWN' } } };
      const toolsets = Object.fromEntries(
        ['grafana/loki', 'grafana/tempo', 'prometheus/metrics', 'alertmanager'].map((name) => [
          name,
          { backends },
        ]),
      );
      const overrides = overridesSchema.parse({
        tools: { 'monitoring/lgtm': { approved: true, description: 'OURS' } },
        holmesgpt: { toolsets },
      });
      const { text, tools } = made(found, { credentials, overrides });
      expect(toolsetsWith(text, 'SECRET')).toEqual(['grafana/dashboards']);
      expect(text).not.toContain('OWN');
      expect(tools.filter(({ description }) => description.includes('OURS')).map(({ type }) => type)).toEqual(
        ['grafana'],
      );
      expect(tools.map(({ type }) => type)).not.toContain('mcp');
    }),
    { numRuns: 50 * SCALE },
  );
});

test('what people trust a part with is for nothing else', () => {
  const found = proven(lgtm(['loki', 'tempo']));
  const credentials = credentialsByBackend.parse({ 'monitoring/lgtm:3100': { bearerToken: 'SECRET' } });
  expect(toolsetsWith(made(found, { credentials }).text, 'SECRET')).toEqual(['grafana/loki']);
});

test('a part gives what a Service of its own gives', () => {
  fc.assert(
    fc.property(named, (names) => {
      const ports = names.filter((name) => name !== 'mcp');
      const alone = ports.map((name, index) =>
        service(`s${index}`, { labels: { app: name.replace('-query', '') }, ports: [`http:${PORTS[name]}`] }),
      );
      const credentials = credentialsByBackend.parse(
        Object.fromEntries(
          ['loki', 'tempo', 'prometheus'].map((type) => [
            type,
            { bearerToken: 'T', namespaces: ['monitoring'] },
          ]),
        ),
      );
      const plain = (text: string) => text.replaceAll(/\b(s\d|lgtm)(_\d+)?\.monitoring/g, 'X.monitoring');
      const parts = proven(lgtm(names)).filter(({ type }) => type !== 'grafana');
      const shown = (found: readonly DiscoveredService[]) => {
        const { toolsets } = parse(plain(made(found, { credentials }).text)) as { toolsets?: unknown };
        return toolsets;
      };
      expect(shown(parts)).toEqual(shown(proven(...alone)));
    }),
    { numRuns: 50 * SCALE },
  );
});

test('switching the Service off leaves nothing of it, by overrides and by its owner', () => {
  fc.assert(
    fc.property(named, fc.constantFrom('monitoring/lgtm', 'lgtm.monitoring'), (names, key) => {
      const overrides = overridesSchema.parse({ tools: { [key]: { enabled: false } } });
      expect(made(proven(lgtm(names)), { overrides }).tools).toEqual([]);
      expect(proven(lgtm(names, { annotations: { 'kubernaut.io/toolset': 'false' } }))).toEqual([]);
    }),
    { numRuns: 20 * SCALE },
  );
});

test('switching a part off leaves the others', () => {
  const overrides = overridesSchema.parse({ tools: { 'monitoring/lgtm:3100': { enabled: false } } });
  const { tools } = made(proven(lgtm(['loki', 'tempo'])), { overrides });
  expect(tools.map(({ name }) => name)).toEqual(['lgtm.monitoring', 'lgtm_3200.monitoring']);
});
