import { api } from './api.ts';
import { found } from './found.ts';
import type { Panel, Row } from './panel.ts';
import { processes } from './processes.ts';
import { publishing } from './publishing.ts';
import { ofProcess, ours } from './queries.ts';
import { working } from './working.ts';

const ROWS: readonly Row[] = [working, found, publishing, api, processes];

/** Width and height in cells of Grafana's grid, which is 24 wide. */
const SIZES: Readonly<Record<Panel['kind'], { readonly w: number; readonly h: number }>> = {
  now: { w: 4, h: 4 },
  graph: { w: 8, h: 8 },
  state: { w: 12, h: 6 },
};
const GRID = 24;
const TYPES = { now: 'stat', graph: 'timeseries', state: 'state-timeline' } as const;

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

function thresholds({ badFrom, goodFrom }: Panel): object {
  const [below, from, above] =
    goodFrom !== undefined ? ['red', goodFrom, 'green'] : ['green', badFrom, 'red'];
  const steps = from === undefined ? [] : [{ color: above, value: from }];
  return { mode: 'absolute', steps: [{ color: below, value: null }, ...steps] };
}

function mappings({ words }: Panel): object[] {
  if (words === undefined) return [];
  const [zero, one] = words;
  const options = { 0: { text: zero, color: 'red', index: 0 }, 1: { text: one, color: 'green', index: 1 } };
  return [{ type: 'value', options }];
}

function optionsOf({ kind, named }: Panel): object {
  if (kind === 'now')
    return {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      textMode: named ? 'value_and_name' : 'auto',
      colorMode: 'value',
      graphMode: 'none',
    };
  const legend = { displayMode: 'list', placement: 'bottom', showLegend: true };
  if (kind === 'state') return { legend, mergeValues: true, rowHeight: 0.8, showValue: 'auto' };
  return { legend, tooltip: { mode: 'multi', sort: 'desc' } };
}

/** A panel as Grafana has it, but for its place. */
function panelOf(panel: Panel): object {
  const { title, kind, queries, meaning, alert, unit = 'short', none, badFrom, goodFrom } = panel;
  const limited = kind === 'graph' && (badFrom ?? goodFrom) !== undefined;
  return {
    type: TYPES[kind],
    title,
    description: alert === undefined ? meaning : `${meaning}\n\nSee docs/runbook.md#${alert.toLowerCase()}`,
    datasource: DATASOURCE,
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      ...(kind === 'now' ? { instant: true, range: false } : { range: true }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(none === undefined ? {} : { noValue: none }),
        ...(unit === 'percentunit' ? { min: 0, max: 1 } : kind === 'graph' ? { min: 0 } : {}),
        mappings: mappings(panel),
        thresholds: thresholds(panel),
        color: kind === 'graph' ? { mode: 'palette-classic' } : { mode: 'thresholds' },
        ...(limited ? { custom: { thresholdsStyle: { mode: 'line' } } } : {}),
      },
      overrides: [],
    },
    options: optionsOf(panel),
  };
}

/** All panels in their places: from left to right, and a line ends where the next one does not fit or is of another height. */
function placed(): object[] {
  const panels: object[] = [];
  let id = 0;
  let y = 0;
  for (const { title, panels: inRow } of ROWS) {
    panels.push({
      type: 'row',
      id: ++id,
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: GRID, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of inRow) {
      const { w, h } = SIZES[panel.kind];
      if (x + w > GRID || (height > 0 && h !== height)) {
        x = 0;
        y += height;
      }
      height = h;
      panels.push({ id: ++id, ...panelOf(panel), gridPos: { x, y, w, h } });
      x += w;
    }
    y += height;
  }
  return panels;
}

/** What happened, over all graphs: most faults begin with a change. */
const HAPPENED: readonly (readonly [name: string, color: string, expression: string])[] = [
  ['Published', 'blue', `sum(increase(${ours('configmap_updates_total', 'result="success"')}[2m])) > 0`],
  ['Configuration changed', 'purple', `sum(increase(${ours('config_reloads_total')}[2m])) > 0`],
  ['Started', 'orange', `time() - (${ofProcess('process_start_time_seconds')}) < 120`],
  ['Leader changed', 'yellow', `changes(${ours('leader')}[2m]) > 0`],
];

function variable(name: string, label: string, matchers: string): object {
  const query = `label_values(dynamic_toolset_build_info${matchers}, ${name})`;
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  };
}

/** The dashboard in Grafana's format. */
export function dashboard(): object {
  return {
    uid: 'dynamic-toolset',
    title: 'Dynamic Toolset',
    description: 'Discovered backends, their health, and whether the toolset is up to date.',
    tags: ['dynamic-toolset'],
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
        variable('namespace', 'Namespace', ''),
        variable('job', 'Job', '{namespace=~"$namespace"}'),
      ],
    },
    annotations: {
      list: HAPPENED.map(([name, iconColor, expr]) => ({
        name,
        iconColor,
        expr,
        datasource: DATASOURCE,
        enable: true,
        step: '30s',
        titleFormat: name,
        textFormat: '{{pod}} {{instance}}',
      })),
    },
    links: [],
    panels: placed(),
  };
}
