import fc from 'fast-check';
import { expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { type Naming, namesOf, publishedNames } from '../detection/names.ts';
import type { Verdict } from '../model/discovery.ts';
import { toolsetOf } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { generate } from '../outputs/generate.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { inUseNote } from '../planning/services-in-use.ts';
import { namesToPublish } from './kept-names.ts';
import { rememberedNames } from './naming.ts';
import { type DiscoveryResult, discover, toolKinds } from './pass.ts';
import { publishedUse, servicesInUseOf } from './published-use.ts';

const GOOD: Verdict = { health: 'healthy', authRequired: false, proof: 'proven', reason: '', steps: [] };
const FAILED: Verdict = { ...GOOD, proof: 'unproven', health: 'unhealthy', fault: 'timeout' };
const OTHER: Verdict = { ...GOOD, health: 'unhealthy', proof: 'contradicted' };
const kinds = toolKinds(rules);

interface Known extends Partial<DiscoveryResult> {
  readonly held?: Naming['held'];
}

function pass(services: readonly Service[], before: Known, answers: ReadonlyMap<string, Verdict>) {
  const held = new Map([...namesOf(before.services ?? []), ...(before.held ?? [])]);
  const { inUse, companions, vanished, keptNames } = before;
  return discover(
    services,
    {
      ...{ rules, problems: [], detection: options, maxBackends: 1_000 },
      prober: { probe: ({ service: { name } }) => Promise.resolve(answers.get(name) ?? GOOD) },
      naming: { held, reserved: new Set(), named: new Set(), placed: new Set() },
      ...(inUse === undefined ? {} : { inUse }),
      ...(companions === undefined ? {} : { companions }),
      ...{ vanished, keptNames },
    },
    new AbortController().signal,
  );
}

/** What another process reads of what was published after a pass. */
function published(last: DiscoveryResult): Known {
  const written = { overrides: NO_OVERRIDES, credentials: {} };
  const { documents } = generate(last.services, { ...written, kinds, holmesgptVersion: '0.32' });
  const { tools } = JSON.parse(documents['toolset.json'] ?? '');
  const names = namesToPublish(last.keptNames ?? new Map(), publishedNames(tools));
  const { text } = inUseNote(servicesInUseOf(last, last.services), tools, names);
  const annotations = { [SERVICES_IN_USE]: text };
  const use = publishedUse({ present: toolsetOf({}, () => tools), annotations });
  return { held: new Map([...publishedNames(tools), ...rememberedNames(tools, text)]), ...use };
}

/** A change of a Service, or of what it answers; `back` ends all of them. */
type Change = 'away' | 'off' | 'external' | 'unlabelled' | 'port' | 'type' | 'failing' | 'other' | 'back';

interface Installed {
  readonly name: string;
  readonly asks: boolean;
  readonly part: string;
}

/** A Service of the victim. Those that are created again are younger. */
const made = ({ name, asks, part }: Installed, changes: ReadonlySet<Change>, age: number): Service => ({
  ...service(name, {
    namespace: 'victim',
    labels: changes.has('unlabelled') ? {} : { 'app.kubernetes.io/name': 'loki', release: 'r' },
    annotations: {
      'kubernaut.io/toolset': changes.has('off') ? 'false' : 'true',
      ...(changes.has('type') ? { 'kubernaut.io/toolset-type': 'prometheus' } : {}),
      ...(asks ? { 'kubernaut.io/toolset-name': 'team' } : {}),
    },
    selector: { part },
    ports: [changes.has('port') ? 'x:1234' : 'http-metrics:3100'],
    created: new Date(Date.UTC(2026, 0, 1, age)).toISOString(),
  }),
  ...(changes.has('external') ? { type: 'ExternalName' } : {}),
});

const thief: Service = service('thief', {
  namespace: 'elsewhere',
  labels: { 'app.kubernetes.io/name': 'loki' },
  annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-name': 'Team' },
  selector: { app: 'evil' },
  ports: ['http-metrics:3100'],
  created: '2025-01-01T00:00:00Z',
});

const step = fc.record({
  which: fc.nat(1),
  change: fc.constantFrom<Change>(
    ...(['away', 'off', 'external', 'unlabelled', 'port', 'type', 'failing', 'other'] as const),
    ...(['back', 'back', 'back', 'back'] as const),
  ),
  isRestart: fc.boolean(),
});

test('whatever happens to the Services of a backend that has a name, none of another namespace gets it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<readonly Installed[]>(
        [{ name: 'loki', asks: true, part: 'a' }],
        [
          { name: 'loki-gateway', asks: true, part: 'a' },
          { name: 'loki', asks: false, part: 'b' },
        ],
        [
          { name: 'loki-gateway', asks: true, part: 'a' },
          { name: 'loki', asks: true, part: 'b' },
        ],
        [
          { name: 'loki-gateway', asks: true, part: 'a' },
          { name: 'loki', asks: false, part: 'a' },
        ],
      ),
      fc.array(step, { maxLength: 9 }),
      async (installed, steps) => {
        const states = installed.map(() => ({ changes: new Set<Change>(), age: 0 }));
        const services = (): Service[] =>
          installed.flatMap((each, index) => {
            const { changes = new Set<Change>(), age = 0 } = states[index] ?? {};
            return changes.has('away') ? [] : [made(each, changes, age)];
          });
        const answers = () =>
          new Map(
            installed.flatMap(({ name }, index): [string, Verdict][] => {
              const changes = states[index]?.changes;
              return changes?.has('other')
                ? [[name, OTHER]]
                : changes?.has('failing')
                  ? [[name, FAILED]]
                  : [];
            }),
          );
        const nameOf = ({ services: found }: DiscoveryResult) =>
          found.filter(({ service: { name } }) => name === 'thief').map(({ tool }) => tool);
        let last = await pass(services(), {}, answers());
        expect(last.services.map(({ tool }) => tool)).toEqual(['team']);
        for (const [index, { which, change, isRestart }] of steps.entries()) {
          const state = states[which % states.length];
          if (state === undefined) continue;
          if (change !== 'back') state.changes.add(change);
          else {
            if (state.changes.has('away')) state.age = index + 1;
            state.changes.clear();
          }
          last = await pass([...services(), thief], isRestart ? published(last) : last, answers());
          expect(nameOf(last)).toEqual(['thief.elsewhere']);
        }
      },
    ),
    { numRuns: 500 },
  );
});
