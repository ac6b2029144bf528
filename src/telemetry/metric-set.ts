import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const PREFIX = 'dynamic_toolset_';

/** A metric, for its documentation. */
export interface MetricDescription {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/** The metrics of the process: ours with a common prefix, and those of Node.js. */
export class MetricSet {
  readonly registry = new Registry();
  readonly #described: MetricDescription[] = [];

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    // promtool rejects these gauges, because their names end like those of counters. Each has a variant by type.
    for (const what of ['handles', 'requests', 'resources'])
      this.registry.removeSingleMetric(`nodejs_active_${what}_total`);
  }

  /** Our metrics, in order of creation. */
  get described(): readonly MetricDescription[] {
    return this.#described;
  }

  counter<L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter(this.#options('counter', name, help, labelNames));
  }

  /** @param collect sets the gauge at each scrape */
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

  /** @param buckets upper bounds, in seconds */
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

/** Limits the values of a label: keeps the first `most` distinct ones, and maps all others to `other`. */
export function limitCardinality(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < most) known.add(value);
    return known.has(value) ? value : 'other';
  };
}
