import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ExplainResult } from '../../src/cli/explain/result.ts';
import { asText } from '../../src/cli/explain/text.ts';
import { type Explanation, explain } from '../../src/detection/explain.ts';
import { makeRules } from '../../src/detection/make-rules.ts';
import type { ConditionReason } from '../../src/model/condition.ts';
import type { Approval } from '../../src/model/discovery.ts';
import type { Omission } from '../../src/model/documents.ts';
import { findingsOf } from '../../src/planning/conditions/conditions.ts';
import { builtIn, discovered, options, rules } from '../fixtures/unit/detection.ts';
import { keyFor, service } from '../fixtures/unit/service.ts';

const escaped = (text: string): string => text.replace(/[\\^$.|?+()[\]{}*]/g, '\\$&');

/** What the rows of the runbook's table of verdicts match. A row of `…, not published: …` alone would match everything. */
const rows = (
  /\| verdict \| what to do \|\n[^\n]*\n((?:\|[^\n]*\n)+)/
    .exec(readFileSync('docs/runbook.md', 'utf8'))?.[1]
    ?.split('\n') ?? []
)
  .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)])
  .map(([, text = '']) => new RegExp(`^${text.split('…').map(escaped).join('.*')}`));

const loki = discovered(service('loki', { labels: { app: 'loki' }, ports: [3100] }));
const { verdict } = loki;

const FACTS: Parameters<typeof findingsOf>[1] = {
  state: { isKnown: true, rollback: undefined, overrideError: undefined, failure: undefined, decides: true },
  namespace: 'monitoring',
  isOutage: false,
  isPublished: false,
  isFound: true,
  approval: { state: 'open', reason: '' },
  switchedOff: undefined,
  hasOwnAddress: false,
  cuts: [],
  omissions: [],
};

const RESULT: ExplainResult = {
  source: undefined,
  explanation: { service: loki.service, detectors: [], candidate: loki, problems: [], ignored: [] },
  probed: new Map(),
  verdict,
  service: loki,
  approval: undefined,
  asksBeforeEach: undefined,
  questions: undefined,
  problems: [],
  limit: undefined,
  cuts: [],
  id: 'monitoring/loki',
  conditions: [],
  isPublicationKnown: true,
  published: undefined,
  stillPublished: [],
  ownTool: undefined,
  generated: undefined,
};

/** The lines of the verdict. */
function verdictsOf(result: Partial<ExplainResult>): string[] {
  const [, lines = ''] = asText({ ...RESULT, ...result }, (_, text) => text).split('\n\nVerdict\n');
  const [verdict = ''] = lines.split('\n\nWhat you can do\n');
  return verdict.trim().split(/\n\s*/);
}

function expectRow(lines: readonly string[], text: RegExp): void {
  expect(lines.join('\n')).toMatch(text);
  for (const line of lines)
    expect(
      rows.filter((row) => row.test(line)),
      line,
    ).not.toEqual([]);
}

type Change = Partial<typeof FACTS> & { readonly health?: 'unhealthy' };
const approval = (state: Approval['state'], reason: string): Change => ({ approval: { state, reason } });
const state = (change: Partial<(typeof FACTS)['state']>): Change => ({
  state: { ...FACTS.state, ...change },
});
const omission = (cause: Omission['cause'], leftOutOf = 'custom_toolset.yaml'): Change => ({
  isPublished: true,
  omissions: [
    {
      cause,
      key: 'monitoring/loki',
      tool: 'loki',
      why: 'it cannot',
      ...(leftOutOf === 'custom_toolset.yaml' ? { keptIn: 'toolset.json' } : {}),
      leftOutOf,
    },
  ],
});

/** What leads to each reason, with a part of the verdict. `undefined`: no verdict of `explain` has this reason. */
const REASONS: Readonly<Record<ConditionReason<'Published'>, readonly [Change, RegExp] | undefined>> = {
  InToolset: [{ isPublished: true }, /in the documents/],
  KeptForNow: [{ isPublished: true, ...state({ watched: ['shop'] }) }, /for now/],
  NeedsCredentials: [omission('credentials'), /toolset\.json only/],
  NeedsTenant: [omission('tenant'), /toolset\.json only/],
  NotSupportedByAgent: [omission('unsupported'), /toolset\.json only/],
  LimitReached: [
    {
      cuts: [
        {
          limit: 'namespace_tools',
          key: 'monitoring/loki',
          why: 'namespace monitoring has more than 9 tools; raise MAX_NAMESPACE_TOOLS',
        },
      ],
    },
    /has more/,
  ],
  KnownByLeader: undefined,
  NotFound: undefined,
  NamespaceNotWatched: [state({ watched: ['shop'] }), /serve watches shop only/],
  DisabledByOverride: [{ switchedOff: 'overrides.yaml switches it off (enabled: false)' }, /switches it off/],
  DisabledByAgent: [omission('removed', "HolmesGPT's own ConfigMap"), /left out of HolmesGPT's own/],
  NotApproved: [
    approval('waiting', 'waits for approval: dynamic-toolset approve monitoring/loki'),
    /approve/,
  ],
  ApprovalUnknown: [approval('unknown', 'overrides.yaml cannot be read here, so it is unknown'), /read here/],
  ListedByAgent: [approval('listed', 'not added: overrides.yaml lists it already'), /, not added: /],
  Unhealthy: [{ health: 'unhealthy' }, /while it is unhealthy/],
  NotProven: undefined,
  HeldByRollback: [state({ rollback: 3 }), /revision 3/],
  OverridesInvalid: [state({ overrideError: 'line 1' }), /cannot be used/],
  PublicationFailed: undefined,
  NotYetPublished: [{}, /the next publication adds it/],
  NotObserved: undefined,
};

test.each(
  Object.entries(REASONS).flatMap(([reason, each]) =>
    each === undefined ? [] : [[reason, ...each] as const],
  ),
)(
  'the runbook has a row for a verdict with the reason %s',
  (reason, { health = verdict.health, ...change }, text) => {
    const conditions = findingsOf({ ...loki, verdict: { ...verdict, health } }, { ...FACTS, ...change });
    expect(conditions.find(({ type }) => type === 'Published')?.reason).toBe(reason);
    expectRow(verdictsOf({ conditions }), text);
  },
);

test.each([
  ['refused', 'not published: overrides.yaml refuses it; to approve it: x'],
  ['off', 'not published: MCP_POLICY is off'],
] as const)('and for one that is not approved, because the approval is %s', (is, reason) => {
  const conditions = findingsOf(loki, { ...FACTS, ...approval(is, reason) });
  expectRow(verdictsOf({ conditions }), /^loki, not published: (?!not)/);
});

const left = (fields: Parameters<typeof service>[1], of = rules, name = 'loki'): Explanation =>
  explain([service(name, fields)], keyFor(`monitoring/${name}`), of, options) as Explanation;
const without = makeRules(builtIn, { added: [], options: {}, disabled: ['loki'] }).rules;
const NOTHING = { service: undefined, verdict: undefined };

test.each<[string, Partial<ExplainResult>, RegExp]>([
  ['no detector', { ...NOTHING, explanation: left({ ports: [80] }, rules, 'shop') }, /no detector matches/],
  [
    'another port',
    { ...NOTHING, explanation: left({ labels: { 'app.kubernetes.io/component': 'loki' }, ports: [4242] }) },
    /none of its ports/,
  ],
  [
    'a disabled detector',
    { ...NOTHING, explanation: left({ labels: { app: 'loki' }, ports: [3100] }, without) },
    /would match/,
  ],
  [
    'an ExternalName',
    { ...NOTHING, explanation: left({ type: 'ExternalName', ports: [80] }) },
    /ExternalName/,
  ],
  [
    'an opt-out',
    { ...NOTHING, explanation: left({ annotations: { 'kubernaut.io/toolset': 'false' } }) },
    /excludes it/,
  ],
  ['a deletion', { ...NOTHING, explanation: left({ terminating: true }) }, /being deleted/],
  [
    'a hint',
    { ...NOTHING, explanation: { ...RESULT.explanation, candidate: { ...loki, certainty: 'hint' } } },
    /a hint/,
  ],
  [
    'a contradiction',
    {
      service: undefined,
      verdict: { ...verdict, reason: 'GET / answered 200, and no response proves its type' },
    },
    /no response proves/,
  ],
  [
    'another backend',
    { explanation: { ...RESULT.explanation, service: service('other', {}) } },
    /no tool of its own/,
  ],
  [
    'another backend, while its own tool is published',
    {
      explanation: { ...RESULT.explanation, service: service('other', {}) },
      stillPublished: [{ tool: 'other', why: 'it stays' }],
    },
    /not in use now/,
  ],
  [
    'the limit on backends',
    {
      limit: {
        ...{ where: 'all', what: '9 backends were found: the limit is 8', fix: 'raise' },
        setting: { key: 'maxBackends', enough: 9 },
      },
    },
    /the limit is/,
  ],
  [
    'the limit on Services of a namespace',
    {
      limit: {
        ...{ where: 'x', fix: 'raise', setting: { key: 'maxNamespaceServices', enough: 9 } },
        what: 'namespace shop has 9 Services that look like backends: the limit is 8',
      },
    },
    /look like backends/,
  ],
  [
    'a held removal',
    {
      ...NOTHING,
      explanation: left({ type: 'ExternalName' }),
      stillPublished: [{ tool: 'loki', why: 'it stays' }],
    },
    /still published/,
  ],
])('and for a Service that is left out: %s', (_, result, text) => expectRow(verdictsOf(result), text));
