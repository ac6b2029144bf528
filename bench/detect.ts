import { builtInDetectors } from '../src/config/detector-files.ts';
import { detect as detectAll } from '../src/detection/detect.ts';
import { LiveDetection } from '../src/detection/live.ts';
import { makeRules } from '../src/detection/make-rules.ts';
import type { Service } from '../src/model/service.ts';
import { serviceFromObject } from '../src/sources/service-object.ts';
import { changeInCrowd } from './crowd.ts';
import type { Lab } from './lab.ts';
import { serviceObject } from './objects.ts';
import type { Row } from './report.ts';
import { benchServices } from './services.ts';
import { median } from './statistics.ts';

const OPTIONS = { clusterDomain: 'cluster.local', allowedHosts: [], allowExternalNames: false };
/** Warm-up rounds, and measured rounds. */
const WARM = 3;
const ROUNDS = 15;

/** Median time of one round, in milliseconds. */
function time(round: () => unknown): number {
  const times: number[] = [];
  for (let index = -WARM; index < ROUNDS; index++) {
    const started = performance.now();
    round();
    if (index >= 0) times.push(performance.now() - started);
  }
  return median(times);
}

/** Detection alone, in this process: no cluster, no probes. */
export async function detect(lab: Lab): Promise<Row[]> {
  const { services: count } = lab.options;
  const texts = benchServices(count).map((service) => JSON.stringify(serviceObject(service)));
  const objects = texts.map((text): Record<string, unknown> => JSON.parse(text));
  const read = (): Service[] =>
    objects
      .map((object) => serviceFromObject(object, 'none'))
      .filter((service) => typeof service !== 'string');
  const cold = performance.now();
  const { rules } = makeRules(builtInDetectors());
  const rulesRead = performance.now() - cold;
  const services = read();
  const first = performance.now();
  const { candidates } = detectAll(services, rules, OPTIONS);
  const firstTime = performance.now() - first;
  const live = new LiveDetection(rules, OPTIONS);
  live.replace(services, new Set());
  live.detect();
  const each = (milliseconds: number): number => (milliseconds * 1000) / count;
  const floor = {
    what: 'JSON.parse of the same',
    value: each(time(() => texts.map((text) => JSON.parse(text) as unknown))),
  };
  const unit = 'µs / Service';
  const changes = services.slice(0, 1000);
  return [
    {
      what: 'detection, warm',
      value: each(time(() => detectAll(services, rules, OPTIONS))),
      unit,
      floor,
      note: `${count} Services, ${candidates.length} candidates`,
    },
    { what: 'detection, the first time in a process', value: each(firstTime), unit, floor },
    { what: 'parsing an API object into a Service', value: each(time(read)), unit, floor },
    {
      what: 'one change among all Services',
      value:
        (time(() => {
          for (const service of changes) {
            live.put(service);
            live.detect();
          }
        }) *
          1000) /
        changes.length,
      unit: 'µs / change',
    },
    changeInCrowd(rules, OPTIONS),
    { what: 'reading the built-in rules', value: rulesRead, unit: 'ms' },
  ];
}
