/** A panel. Its place follows from its width, and from the panels before it. */
export interface Panel {
  readonly title: string;
  /** `state`: 0 and 1 over time; `now`: the last value alone. */
  readonly kind: 'now' | 'graph' | 'state';
  /** PromQL, and what to call the series. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  /** What is shown, what a bad value is, and what it means. */
  readonly meaning: string;
  /** The alert whose section in the runbook tells what to do. */
  readonly alert?: string;
  /** Unit as Grafana calls it. */
  readonly unit?: string;
  /** Red from here on. */
  readonly badFrom?: number;
  /** Green from here on, and red below. */
  readonly goodFrom?: number;
  /** What to say in place of 0 and 1. */
  readonly words?: readonly [zero: string, one: string];
  /** What to say where there is no series. */
  readonly none?: string;
  /** Show the name of the series, too, though there is only one. */
  readonly named?: true;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}
