import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { passEvent } from '../../test/fixtures/unit/pass-event.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { EngineEvent, FollowOutcome } from '../controller/events.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { discoveryLog } from './engine-log/discovery.ts';
import { engineLog } from './engine-log.ts';
import type { Logger } from './logger.ts';
import { securityFields } from './security.ts';

type Line = readonly [level: string, fields: Readonly<Record<string, unknown>>, message: string];

function linesOf(event: EngineEvent): Line[] {
  const lines: Line[] = [];
  const at = (level: string) => (fields: Line[1], message: string) => lines.push([level, fields, message]);
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  engineLog(log as unknown as Logger)(event);
  return lines;
}

const cycle = 4;
const error = new Error('x');
const retryIn = 4_040;
const change = { service: 'shop/orders', since: 'before' as const, added: ['a'], removed: [], changed: [] };
const problem = { where: 'w', what: 'is wrong', fix: 'mend it' };
const agent = (outcome: FollowOutcome): EngineEvent => ({ kind: 'agent', cycle, outcome });

test('a backend of another cluster is logged with its cluster, and one of the home cluster without', () => {
  const [here, east] = ['', 'a/east'].map((cluster) =>
    discovered(service('loki', { cluster, labels: { app: 'loki' }, ports: [3100] })),
  );
  const services = [here, east] as DiscoveredService[];
  const fields = linesOf(passEvent(services, { full: false })).map(([, each]) => each);
  expect(fields.filter((each) => 'service_name' in each)).toMatchObject([
    { namespace: 'monitoring', service_name: 'loki' },
    { cluster: 'a/east', namespace: 'monitoring', service_name: 'loki' },
  ]);
  expect(fields.map((each) => 'cluster' in each)).toEqual([false, true, false]);
  const [line] = linesOf({
    kind: 'tools-changed',
    cycle,
    change: { ...change, service: 'a/east/shop/orders' },
  });
  expect(line?.[1]).toMatchObject({ cluster: 'a/east', namespace: 'shop', service_name: 'orders' });
});

test('changes of the tools of a namespace are logged thirty at once, and then one in ten seconds', () => {
  let time = 0;
  const levels: string[] = [];
  const log = {
    info: () => levels.push('info'),
    warn: () => levels.push('warn'),
    debug: () => levels.push('debug'),
  };
  const { 'tools-changed': write } = discoveryLog(log as unknown as Logger, () => time);
  const tell = (many: number, namespace = 'noisy'): void => {
    for (let n = 0; n < many; n++)
      write?.({ kind: 'tools-changed', cycle, change: { ...change, service: `${namespace}/a${n}` } });
  };
  tell(40);
  tell(1, 'shop');
  time += 10_000;
  tell(2);
  expect(
    levels
      .map((level) => level === 'debug')
      .map(Number)
      .join(''),
  ).toBe(`${'0'.repeat(30)}${'1'.repeat(10)}001`);
});

test.each<[EngineEvent, level: string, component: string, fields: object, message: string]>([
  [
    { kind: 'drift-repeated', cycle, keys: ['k'], retryIn },
    'error',
    'reconciliation',
    { cycle, drift_keys: ['k'], retry_in: 4 },
    'something keeps making the same change to generated content',
  ],
  [
    { kind: 'recreated', cycle, overrides: false },
    'warn',
    'reconciliation',
    { cycle, ...securityFields('configmap_deleted_detected'), overrides_restored: false },
    'the published toolset was deleted; it was recreated',
  ],
  [{ kind: 'overrides-mended', cycle }, 'info', 'reconciliation', { cycle }, 'overrides.yaml is valid again'],
  [
    { kind: 'rolled-back', cycle, to: 3, faults: ['f'] },
    'error',
    'reconciliation',
    { cycle, revision: 3, faults: ['f'] },
    'the published documents were unusable when they were read back; rolled back to revision 3',
  ],
  [
    { kind: 'rollback', cycle, to: 3, holds: true },
    'warn',
    'reconciliation',
    { cycle, revision: 3 },
    'the rollback to revision 3 holds until the inputs change, or until rollback --end',
  ],
  [
    { kind: 'rollback', cycle, to: 3, holds: false },
    'info',
    'reconciliation',
    { cycle, revision: 3 },
    'the inputs changed, so the rollback ended',
  ],
  [
    { kind: 'rollback', cycle, to: 3, holds: false, removed: true },
    'info',
    'reconciliation',
    { cycle, revision: 3 },
    'somebody ended the rollback to revision 3',
  ],
  [
    { kind: 'removal-held', cycle, tools: ['a', 'b'], retryIn },
    'warn',
    'reconciliation',
    { cycle, tools: ['a', 'b'], retry_in: 4 },
    '2 tools would be removed, because they are gone, unusable or beyond a limit. They stay',
  ],
  [
    { kind: 'held-removed', cycle, tools: ['a', 'b'], allowed: false },
    'warn',
    'reconciliation',
    { cycle, tools: ['a', 'b'] },
    '2 tools that were held are removed, because their hold is over: a, b',
  ],
  [
    { kind: 'held-removed', cycle, tools: ['a'], allowed: true },
    'warn',
    'reconciliation',
    { cycle, tools: ['a'] },
    '1 tool that was held is removed, because the annotation kubernaut.io/allow-removal allowed it: a',
  ],
  [
    { kind: 'observe-failed', cycle, error, retryIn },
    'warn',
    'reconciliation',
    { cycle, retry_in: 4 },
    'the published toolset cannot be read: x',
  ],
  [
    { kind: 'watch-failed', error },
    'warn',
    'reconciliation',
    {},
    'cannot watch the published toolset, so external changes are noticed only with each full resync: x',
  ],
  [
    { kind: 'source-failed', error, reason: 'network', retryIn },
    'error',
    'service_discovery',
    { retry_in: 4 },
    'Services cannot be read, so the last known ones are kept: x',
  ],
  [
    { kind: 'tools-changed', cycle, change },
    'warn',
    'service_discovery',
    { cycle, namespace: 'shop', service_name: 'orders' },
    'the MCP server shop/orders changed its tools: ',
  ],
  [
    { kind: 'outage', outage: 'network' },
    'warn',
    'health_check',
    { outage: 'network' },
    'no backend can be reached',
  ],
  [
    { kind: 'reconfigured', changes: ['a', 'b'] },
    'info',
    'configuration',
    { changes: ['a', 'b'] },
    'the configuration changed: a, b',
  ],
  [
    { kind: 'configuration-refused', error: new Error('one\ntwo') },
    'error',
    'configuration',
    { errors: ['one', 'two'] },
    'the configuration cannot be used, and the previous one stays in force: 2 errors: (1) one (2) two',
  ],
  [{ kind: 'configuration-mended' }, 'info', 'configuration', {}, 'the configuration is valid again'],
  [
    agent({ kind: 'agent-written', target: 'T', learned: ['toolsets a'], isReplaced: true }),
    'info',
    'agent',
    { cycle },
    'T was written; another file was put in place of custom_toolset.yaml, so only what it has counts as written by hand, which changes: toolsets a',
  ],
  [
    agent({ kind: 'agent-written', target: 'T', learned: [] }),
    'info',
    'agent',
    { cycle },
    'T was written; manual edits were kept, and take precedence',
  ],
  [
    agent({
      kind: 'agent-written',
      target: 'T',
      learned: Array.from({ length: 12 }, (_, n) => `toolsets t${n}`),
    }),
    'info',
    'agent',
    { cycle },
    `T was written; manual edits were kept, and take precedence: ${[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `toolsets t${n}`).join(', ')} and 2 more`,
  ],
  [agent({ kind: 'agent-written', target: 'T' }), 'info', 'agent', { cycle }, 'T was written'],
  [
    agent({ kind: 'agent-restarted', target: 'T' }),
    'info',
    'agent',
    { cycle },
    'T was restarted to reload the toolset',
  ],
  [
    agent({ kind: 'agent-reloaded', target: 'T' }),
    'info',
    'agent',
    { cycle },
    'T was asked to reload the toolset',
  ],
  [
    agent({ kind: 'agent-reload-delayed', target: 'T', dueIn: retryIn }),
    'info',
    'agent',
    { cycle, retry_in: 4 },
    'the agent (T) reloads the toolset later',
  ],
  [agent({ kind: 'agent-refused', problem }), 'warn', 'agent', { cycle }, 'w: is wrong; mend it'],
  [agent({ kind: 'agent-note', problem }), 'warn', 'agent', { cycle }, 'w: is wrong; mend it'],
  [
    agent({ kind: 'agent-failed', error, retryIn }),
    'error',
    'agent',
    { cycle, retry_in: 4, stacktrace: error.stack },
    'the agent was not updated: x',
  ],
])('%j', (event, level, component, fields, message) => {
  const lines = linesOf(event);
  expect(lines).toEqual([[level, { component, ...fields }, expect.stringContaining(message)]]);
});
