/**
 * Writes the generated parts of the documentation, between `<!-- generated: NAME -->` and `<!-- end -->`, the Grafana
 * dashboard, and the JSON Schemas.
 * `npm run docs -- --check` writes nothing and fails if a part is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { builtInDetectors } from '../src/config/detector-files.ts';
import { makeRules } from '../src/detection/make-rules.ts';
import { CERTAINTIES } from '../src/model/certainties.ts';
import type { Detector, Matcher } from '../src/model/detector.ts';
import { entryOf } from '../src/outputs/holmesgpt/render/mapping.ts';
import { apiMetrics } from '../src/telemetry/api-metrics.ts';
import { engineMetrics } from '../src/telemetry/engine-metrics.ts';
import { type MetricDescription, MetricSet } from '../src/telemetry/metric-set.ts';
import { stateMetrics } from '../src/telemetry/state-metrics.ts';
import { chartValues } from './chart-values.ts';
import { dashboard } from './dashboard/dashboard.ts';
import { commandParts } from './docs-commands.ts';
import { settingsParts } from './docs-settings.ts';
import { code, codes, table } from './markdown-text.ts';
import { schemaFiles } from './schemas.ts';

const root = join(import.meta.dirname, '..');
const { rules } = makeRules(builtInDetectors());
const detectors = [...rules.byType.values()].map(({ detector }) => detector);

function matcherText(match: Matcher): string {
  const said = (value: unknown): string => (value === true ? 'any' : [value].flat().join(' or '));
  const parts = (['labels', 'annotations', 'selector'] as const).flatMap((kind) =>
    Object.entries(match[kind] ?? {}).map(
      ([key, value]) => `${kind.replace(/s$/, '')} ${code(`${key}=${said(value)}`)}`,
    ),
  );
  if (match.name !== undefined) parts.push(`name ${code(said(match.name))}`);
  if (match.port !== undefined) {
    const { name, number, appProtocol } = match.port;
    const port = [
      ...(number === undefined ? [] : [String(number)]),
      ...(name === undefined ? [] : [`named ${said(name)}`]),
      ...(appProtocol === undefined ? [] : [`appProtocol ${said(appProtocol)}`]),
    ];
    parts.push(`port ${code(port.join(' '))}`);
  }
  return parts.join(' and ');
}

function entryText(detector: Detector): string {
  const holmes = entryOf({ mappings: detector.outputs });
  if ('http' in holmes) return `${code('type: http')}, GET only`;
  if ('mcp' in holmes) return code('mcp_servers');
  if ('none' in holmes) return '–';
  return `${codes(holmes.toolsets)}${holmes.credentials === 'required' ? ', needs credentials' : ''}`;
}

function proofText({ probe }: Detector): string {
  if (probe.protocol === 'mcp') return `${code('server/discover')}, else ${code('initialize')}`;
  if (probe.protocol === 'kafka') return code('ApiVersions');
  if (probe.method !== undefined) return code(probe.method);
  const asked = probe.proofs.map(({ all }) =>
    all.map(({ get }) => code(get.replace('{base}', ''))).join(' and '),
  );
  return asked.length === 0 ? "none: the owner's annotation is enough" : [...new Set(asked)].join(', or ');
}

/** All metrics under our prefix, by name. */
function metrics(): MetricDescription[] {
  const set = new MetricSet();
  engineMetrics(set, { known: () => true, documents: () => [] });
  stateMetrics(set, {
    version: '',
    leads: () => true,
    ready: () => ({}),
    interval: () => 0,
    backends: () => [],
    disproven: () => 0,
  });
  apiMetrics(set);
  return [...set.described].sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Alert {
  readonly alert: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

/** All alert rules, in the order of their file. */
function alerts(): Alert[] {
  const file = readFileSync(join(root, 'deploy/helm/dynamic-toolset/files/alerts.yaml'), 'utf8');
  const { groups } = parse(file) as { readonly groups: readonly { readonly rules: readonly Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

const parts: Readonly<Record<string, () => string>> = {
  ...commandParts,
  ...settingsParts,
  detectors: () =>
    table(
      ['type', 'finds', 'names of the product', 'ports', 'health', 'proof', 'in HolmesGPT'],
      detectors.map((detector) => [
        code(detector.type),
        detector.title,
        codes(detector.names),
        codes([...detector.ports.numbers, ...detector.ports.names]),
        detector.probe.protocol === 'http'
          ? codes([...new Set(detector.probe.health.map((path) => path.replace('{base}', '')))])
          : `by ${detector.probe.protocol}`,
        proofText(detector),
        entryText(detector),
      ]),
    ),
  signals: () =>
    table(
      ['type', 'certainty', 'signal'],
      detectors.flatMap(({ type, signals }) =>
        signals.map(({ certainty, ...match }) => [code(type), certainty, matcherText(match)]),
      ),
    ),
  roles: () =>
    table(
      ['role', 'rank', 'words', 'why'],
      Object.entries(rules.vocabulary.roles).map(([name, { rank, words, why }]) => [
        name,
        rank === undefined ? 'never' : String(rank),
        codes(words),
        why,
      ]),
    ),
  metrics: () =>
    table(
      ['name', 'type', 'labels', 'meaning'],
      metrics().map(({ name, type, labels, help }) => [code(name), type, codes(labels), help]),
    ),
  alerts: () =>
    table(
      ['alert', 'severity', 'after', 'what is wrong'],
      alerts().map(({ alert, labels, annotations, for: pending }) => [
        `[${code(alert)}](runbook.md#${alert.toLowerCase()})`,
        labels.severity,
        pending ?? 'at once',
        annotations.summary,
      ]),
    ),
  values: () =>
    table(
      ['value', 'default', 'meaning'],
      chartValues(join(root, 'deploy/helm/dynamic-toolset/values.yaml')).map(({ path, unset, meaning }) => [
        code(path),
        code(unset),
        meaning.replaceAll('|', '\\|'),
      ]),
    ),
  certainties: () => CERTAINTIES.map((certainty) => code(certainty)).join(', '),
};

const DASHBOARD = 'deploy/helm/dynamic-toolset/files/dashboard.json';
const SCHEMAS = schemaFiles();
const FILES = [
  'docs/command-line.md',
  'docs/configuration.md',
  'docs/detectors.md',
  'docs/metrics.md',
  'deploy/helm/dynamic-toolset/README.md',
  DASHBOARD,
  ...SCHEMAS.keys(),
];

function madeOf(file: string, text: string): string {
  if (file === DASHBOARD) return `${JSON.stringify(dashboard(), undefined, 2)}\n`;
  const schema = SCHEMAS.get(file);
  if (schema !== undefined) return schema;
  return text.replace(/<!-- generated: ([a-z]+) -->\n[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`${file}: there is no generated part "${name}"`);
    return `<!-- generated: ${name} -->\n\n${part()}\n\n<!-- end -->`;
  });
}

const onlyCheck = process.argv.includes('--check');
let stale = 0;
for (const file of FILES) {
  const path = join(root, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const made = madeOf(file, text);
  if (made === text) continue;
  stale += 1;
  if (onlyCheck) console.error(`${file} is out of date; run npm run docs`);
  else {
    writeFileSync(path, made);
    console.log(`${file} written`);
  }
}
process.exitCode = onlyCheck && stale > 0 ? 1 : 0;
