import { describe, expect, test } from 'vitest';
import type { AgentState, EngineEvent } from '../controller/events.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import { engineEvents } from './engine-events.ts';

function told(event: EngineEvent): ObjectEvent | undefined {
  const events: ObjectEvent[] = [];
  engineEvents((each) => events.push(each))(event);
  expect(events.length).toBeLessThanOrEqual(1);
  return events[0];
}

const cycle = 7;
const plan = (action: 'create' | 'update') => ({
  action,
  documents: { 'toolset.json': '', 'custom_toolset.yaml': '' },
  labels: {},
  annotations: { 'kubernaut.io/discovered-services': '12' },
  changes: ['data toolset.json', 'data custom_toolset.yaml'],
});

const noRights = { where: 'HolmesGPT', what: 'no rights' };

describe('reported', () => {
  test.each<[EngineEvent, ObjectEvent['type'], string, string]>([
    [
      { kind: 'published', cycle, plan: plan('create'), target: 'x' },
      'Normal',
      'Published',
      'with 12 tools was published; created',
    ],
    [
      { kind: 'published', cycle, plan: plan('update'), target: 'x' },
      'Normal',
      'Published',
      'updated: data toolset.json, data custom_toolset.yaml',
    ],
    [
      {
        kind: 'published',
        cycle,
        plan: { ...plan('update'), changes: ['annotation kubernaut.io/override-error'] },
        target: 'x',
      },
      'Normal',
      'Published',
      'Only metadata was changed; updated: annotation kubernaut.io/override-error',
    ],
    [
      { kind: 'drift', cycle, keys: ['toolset.json'], diff: [{ kind: 'removed', text: '-  "a"' }] },
      'Warning',
      'DriftReverted',
      'Somebody changed toolset.json; the change was reverted. Write changes into overrides.yaml.\n-  "a"',
    ],
    [
      { kind: 'drift-repeated', cycle, keys: ['toolset.json'], retryIn: 300_000 },
      'Warning',
      'DriftRepeated',
      'keeps making the same change',
    ],
    [
      { kind: 'recreated', cycle, overrides: true },
      'Warning',
      'Recreated',
      'with the last known overrides.yaml',
    ],
    [
      { kind: 'overrides-invalid', cycle, faults: 'line 1:\n\u001b[2J bad', tools: 2 },
      'Warning',
      'OverridesInvalid',
      'line 1: [2J bad; the last toolset stays',
    ],
    [
      { kind: 'overrides-invalid', cycle, faults: 'line 1', tools: 0 },
      'Warning',
      'OverridesInvalid',
      'overrides.yaml cannot be used: line 1; no tool is published until it is fixed.',
    ],
    [{ kind: 'overrides-mended', cycle }, 'Normal', 'OverridesMended', 'is valid again'],
    [
      { kind: 'removal-held', cycle, tools: ['a', 'b', 'c', 'd', 'e', 'f', 'g'], retryIn: 300_000 },
      'Warning',
      'RemovalHeld',
      '7 tools are gone, unusable or beyond a limit. They stay for 300 s: a, b, c, d, e and 2 more. To remove them now, set the annotation kubernaut.io/allow-removal: "true".',
    ],
    [
      { kind: 'rolled-back', cycle, to: 3, faults: ['no toolsets'] },
      'Warning',
      'RolledBack',
      'no toolsets. Rolled back to revision 3',
    ],
    [
      { kind: 'approvals-waiting', cycle, waiting: ['shop/a', 'shop/b'], fresh: ['shop/b'] },
      'Normal',
      'WaitsForApproval',
      'need approval before they are published: shop/b. Approve one with: dynamic-toolset approve NAMESPACE/NAME. 2 wait in total.',
    ],
    [
      { kind: 'approvals-waiting', cycle, waiting: ['shop/b'], fresh: [] },
      'Normal',
      'ApprovalsChanged',
      'MCP servers and annotated Services that wait for approval: 1.',
    ],
    [
      { kind: 'removal-held', cycle, tools: ['a'], retryIn: 1_000 },
      'Warning',
      'RemovalHeld',
      '1 tool is gone, unusable or beyond a limit. It stays for 1 s: a. To',
    ],
    [
      {
        kind: 'tools-changed',
        cycle,
        change: {
          service: 'shop/a',
          since: 'before',
          added: ['x\u001b[2J', '2', '3', '4', '5', '6'],
          removed: [],
          changed: ['y'],
        },
      },
      'Warning',
      'ToolsChanged',
      'shop/a changed its tools: added: "x [2J", 2, 3, 4, 5 and 1 more; changed: y.',
    ],
    [
      {
        kind: 'tools-changed',
        cycle,
        change: {
          service: 'shop/a',
          since: 'before',
          added: [],
          removed: [],
          changed: ['y'],
          needsApproval: true,
        },
      },
      'Warning',
      'ToolsChanged',
      'changed: y. The agent asks before each of its tools until you approve it again.',
    ],
    [
      {
        kind: 'tools-changed',
        cycle,
        change: { service: 'shop/a', since: 'approval', added: ['rm_all'], removed: [], changed: [] },
      },
      'Warning',
      'ToolsChanged',
      'shop/a has other tools than approve showed: it offers rm_all. Approve it again to accept them',
    ],
    [
      {
        kind: 'tools-changed',
        cycle,
        change: { service: 'shop/a', since: 'nothing', added: [], removed: [], changed: [] },
      },
      'Normal',
      'ToolsPublished',
      'shop/a is published, but no earlier list of its tools exists to compare with: it offers no tools.',
    ],
    [{ kind: 'rollback', cycle, to: 3, holds: true }, 'Normal', 'RollbackHolds', 'revision 3 holds'],
    [{ kind: 'rollback', cycle, to: 3, holds: false }, 'Normal', 'RollbackEnded', 'The inputs changed, so'],
    [
      { kind: 'rollback', cycle, to: 3, holds: true, accepted: true },
      'Normal',
      'RollbackHolds',
      'It publishes what --allow-unapproved accepted.',
    ],
    [
      { kind: 'rollback', cycle, to: 3, holds: false, revoked: 'b.monitoring is excluded: x' },
      'Normal',
      'RollbackEnded',
      'because of something that it published: b.monitoring is excluded: x.',
    ],
    [
      { kind: 'rollback', cycle, to: 3, holds: false, removed: true },
      'Normal',
      'RollbackEnded',
      'Somebody ended the rollback to revision 3.',
    ],
    [
      { kind: 'publish-failed', cycle, attempt: 1, error: new Error('denied'), retryIn: 5 },
      'Warning',
      'PublishFailed',
      'was not published: denied',
    ],
    [
      { kind: 'agent-state', cycle, state: { problem: noRights }, before: undefined },
      'Warning',
      'AgentNotUpdated',
      'The agent does not have the published toolset: HolmesGPT: no rights',
    ],
    [
      { kind: 'agent-state', cycle, state: {}, before: { problem: noRights } },
      'Normal',
      'AgentUpdated',
      'The agent has the published toolset again.',
    ],
  ])('%j', (event, type, reason, note) => {
    const result = told(event);
    expect(result).toMatchObject({ type, reason, action: expect.stringMatching(/^[A-Z][A-Za-z]+$/) });
    expect(result?.note).toContain(note);
  });

  test('only the start of a long difference', () => {
    const diff = Array.from({ length: 100 }, (_, n) => ({ kind: 'added' as const, text: `+${n}` }));
    expect(told({ kind: 'drift', cycle, keys: ['a'], diff })?.note.split('\n')).toHaveLength(13);
  });
});

test('each namespace with waiting Services has its own Event, up to twenty', () => {
  const events: ObjectEvent[] = [];
  const fresh = [
    ...Array.from({ length: 50 }, (_, n) => `noisy/s${n}`),
    ...Array.from({ length: 30 }, (_, n) => `team-${n}/s`),
  ];
  engineEvents((each) => events.push(each))({ kind: 'approvals-waiting', cycle, waiting: fresh, fresh });
  expect(events).toHaveLength(21);
  expect(events[1]).toMatchObject({ about: 'team-0', note: expect.stringContaining('team-0/s.') });
  expect(events[20]).not.toHaveProperty('about');
  expect(events[20]?.note).toContain('and 6 more');
});

test('only the start and the end of a failure to update the agent are reported', () => {
  const other = { where: 'HolmesGPT', what: 'not reachable' };
  const state = (now: AgentState | undefined, before: AgentState | undefined): EngineEvent => ({
    kind: 'agent-state',
    cycle,
    state: now,
    before,
  });
  expect(told(state({}, undefined))).toBeUndefined();
  expect(told(state({ problem: noRights }, {}))?.reason).toBe('AgentNotUpdated');
  expect(told(state({ problem: other }, { problem: noRights }))).toBeUndefined();
  expect(told(state({ reloadsLater: true }, { problem: other }))?.note).toBe(
    'The agent has the published toolset again, and reloads it later.',
  );
  expect(told(state({ problem: other }, { reloadsLater: true }))?.reason).toBe('AgentNotUpdated');
  expect(told(state({}, { reloadsLater: true }))).toBeUndefined();
  expect(told(state(undefined, { problem: other }))).toBeUndefined();
});

test('passes, failures of a source and failures of a watch cause no Event', () => {
  const events: EngineEvent[] = [
    {
      kind: 'pass',
      full: true,
      cycle,
      before: [],
      services: [],
      ids: new Map(),
      problems: [],
      examined: 0,
      milliseconds: 1,
      detecting: 0,
      changedAt: undefined,
    },
    { kind: 'source-failed', error: new Error('a'), reason: 'network', retryIn: 300_000 },
    { kind: 'watch-failed', error: new Error('a') },
  ];
  for (const event of events) expect(told(event)).toBeUndefined();
});
