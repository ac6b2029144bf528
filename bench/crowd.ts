import { LiveDetection } from '../src/detection/live.ts';
import { withReach } from '../src/detection/reach.ts';
import type { Rules } from '../src/detection/rules.ts';
import type { Addresses } from '../src/model/addresses.ts';
import type { Candidate, DiscoveredService } from '../src/model/discovery.ts';
import type { Service } from '../src/model/service.ts';
import { serviceFromObject } from '../src/sources/service-object.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';

/** Services of one type in one namespace. */
const SERVICES = 5_000;
const CHANGES = 300;
/** Goal for one change, in milliseconds. */
const GOAL = 5;

const nameOf = (number: number): string => `prometheus-${number}`;
const addressOf = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;

/** One of the Services. @param version of its annotations */
function member(number: number, version: number): Service {
  const service = serviceFromObject(
    {
      metadata: {
        namespace: 'crowd',
        name: nameOf(number),
        uid: String(number),
        creationTimestamp: new Date(1_700_000_000_000 + number * 1_000).toISOString(),
        labels: { 'app.kubernetes.io/name': 'prometheus' },
        annotations: { version: String(version) },
      },
      spec: {
        type: 'ClusterIP',
        clusterIP: addressOf(number),
        clusterIPs: [addressOf(number)],
        ports: [{ name: 'http', port: 9090 }],
        selector: { app: nameOf(number) },
      },
    },
    'none',
  );
  if (typeof service === 'string') throw new Error(service);
  return service;
}

/** Detection of one change in a namespace with thousands of Services of one type, with what leads to the same Pods. */
export function changeInCrowd(rules: Rules, options: ConstructorParameters<typeof LiveDetection>[1]): Row {
  const all = new Map<string, Addresses>();
  for (let n = 0; n < SERVICES; n++)
    all.set(nameOf(n), { listed: [`10.128.${n >> 8}.${n & 255}`], isCut: false });
  const found = new WeakMap<Candidate, DiscoveredService>();
  const foundAs = (candidate: Candidate): DiscoveredService => {
    const known = found.get(candidate);
    if (known !== undefined) return known;
    const verdict = {
      health: 'healthy',
      authRequired: false,
      proof: 'proven',
      reason: '',
      steps: [],
    } as const;
    const made: DiscoveredService = { ...candidate, verdict };
    found.set(candidate, made);
    return made;
  };
  const live = new LiveDetection(rules, options);
  const detect = (): unknown => {
    const { candidates, services } = live.detect();
    return withReach(candidates.map(foundAs), services, { addressesIn: () => all });
  };
  live.replace(
    Array.from({ length: SERVICES }, (_, n) => member(n, 0)),
    new Set(),
  );
  detect();
  const times = Array.from({ length: CHANGES }, (_, change) => {
    const changed = member((change * 7) % SERVICES, change + 1);
    const started = performance.now();
    live.put(changed);
    detect();
    return performance.now() - started;
  });
  return {
    what: 'one change among 5,000 Services of one type and namespace',
    value: median(times),
    unit: 'ms',
    goal: { value: GOAL },
    note: `${CHANGES} changes`,
  };
}
