import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertRules } from './alert-rules.ts';

const FILE = join(import.meta.dirname, '../../deploy/helm/dynamic-toolset/files/dashboard.json');

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
}

export interface DashboardPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
}

export interface Dashboard {
  readonly panels: readonly DashboardPanel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

/** The dashboard that ships. */
export const dashboard = (): Dashboard => JSON.parse(readFileSync(FILE, 'utf8'));

/** An expression that ships, and where it stands. */
export interface Expression {
  readonly where: string;
  readonly expr: string;
  /** Labels that the words beside it show. */
  readonly shown: readonly string[];
}

const labelsIn = (legend: string): string[] =>
  [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);

/** All expressions of the dashboard, as Grafana would send them with all chosen. */
export function dashboardExpressions(): Expression[] {
  const { panels, annotations } = dashboard();
  const chosen = (expr: string): string =>
    expr.replaceAll('$namespace', '.*').replaceAll('$job', '.*').replaceAll('$__rate_interval', '1m');
  return [
    ...panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ refId, expr, legendFormat }) => ({
        where: `${title} ${refId}`,
        expr: chosen(expr),
        shown: labelsIn(legendFormat),
      })),
    ),
    ...annotations.list.map(({ name, expr }) => ({ where: name, expr: chosen(expr), shown: [] })),
  ];
}

/** All expressions of the alert rules. */
export const alertExpressions = (): Expression[] =>
  alertRules().map(({ alert, expr }) => ({ where: alert, expr, shown: [] }));

/** Metrics that an expression names, each with the labels that it asks of it. */
export function selectorsIn(expr: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const plain = expr.replaceAll(/\{__name__=~"(\w+)\((\w+)\|(\w+)\)"/g, '$1$2{} $1$3{');
  return [...plain.matchAll(/\b((?:dynamic_toolset|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*[=!]~?\s*"/g)].map(([, label = '']) => label),
    }),
  );
}
