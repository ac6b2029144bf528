import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const PREFIX = 'dynamic_toolset_';

/** A metric as its documentation tells it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/** The metrics of one process under our prefix, and the process' own. */
export class MetricSet {
  readonly registry = new Registry();
  readonly #described: MetricDescription[] = [];

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    // Gauges with the ending of a counter, which promtool objects to; each has a twin by type.
    for (const what of ['handles', 'requests', 'resources'])
      this.registry.removeSingleMetric(`nodejs_active_${what}_total`);
  }

  /** All of ours, in the order in which they were made. */
  get described(): readonly MetricDescription[] {
    return this.#described;
  }

  counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter(this.#options('counter', name, help, labelNames));
  }

  /** @param collect called for each scrape, to set it then */
  gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    collect?: (gauge: Gauge<L>) => void,
  ): Gauge<L> {
    const gauge: Gauge<L> = new Gauge({
      ...this.#options('gauge', name, help, labelNames),
      ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
    });
    return gauge;
  }

  /** @param buckets their upper bounds, in seconds */
  histogram<L extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> {
    return new Histogram({ ...this.#options('histogram', name, help, labelNames), buckets: [...buckets] });
  }

  #options<L extends string>(
    type: MetricDescription['type'],
    name: string,
    help: string,
    labels: readonly L[],
  ) {
    const full = `${PREFIX}${name}`;
    this.#described.push({ name: full, type, labels, help });
    return { name: full, help, labelNames: labels, registers: [this.registry] };
  }
}

/** The value of a label for a text from elsewhere: the first so many different ones, and `other` for what comes then. */
export function bounded(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < most) known.add(value);
    return known.has(value) ? value : 'other';
  };
}
