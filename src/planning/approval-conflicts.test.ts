import { expect, test } from 'vitest';
import { approvalsIn, isApproved } from '../model/approvals.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { approvalConflicts } from './approval-conflicts.ts';

const PAY = { cluster: '', namespace: 'pay', name: 'orders' };

/** The note about these overrides, and whether they approve pay/orders. */
function decided(tools: Record<string, object>): {
  readonly what: string | undefined;
  readonly yes: boolean;
} {
  const overrides = overridesSchema.parse({ tools });
  const [note] = approvalConflicts(overrides);
  return { what: note?.what, yes: isApproved(approvalsIn(overrides), PAY, 'mcp') };
}

test.each([
  [{ approved: 'mcp' }, { approved: false }],
  [{ approved: false }, { approved: true }],
])('of %j and %j for one Service, the refusal wins, and the note says so', (slashed, dotted) => {
  const both = [
    { 'pay/orders': slashed, 'orders.pay': dotted },
    { 'orders.pay': dotted, 'pay/orders': slashed },
  ];
  for (const tools of both)
    expect(decided(tools)).toEqual({ what: 'address one Service, so approved: false wins', yes: false });
});

test('two approvals of one Service both count, and the last list of tools', () => {
  const tools = { 'pay/orders': { approved: 'mcp' }, 'orders.pay': { approved: 'custom' } };
  expect(decided(tools)).toEqual({ what: 'address one Service, so both approve it', yes: true });
  const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
  const lists = {
    'orders.pay': { approved: 'mcp', approvedTools: a },
    'pay/orders': { approved: 'mcp', approvedTools: b },
  };
  expect(decided(lists).what).toBe(
    'address one Service, so both approve it, and the approvedTools of pay/orders win',
  );
  expect(
    approvalsIn(overridesSchema.parse({ tools: lists }))
      .values()
      .next().value?.tools,
  ).toBe(b);
});

test('the note names both keys, and what to do', () => {
  const tools = { 'pay/orders': { approved: true }, 'orders.pay': { approved: false } };
  expect(approvalConflicts(overridesSchema.parse({ tools }))).toMatchObject([
    { where: 'overrides.yaml, tools pay/orders, orders.pay', fix: 'merge them under one key' },
  ]);
});

test.each([
  ['one key without an approval', { 'pay/orders': { approved: true }, 'orders.pay': { description: 'x' } }],
  ['two Services', { 'pay/orders': { approved: true }, 'pay/other': { approved: false } }],
])('%s is no conflict', (_, tools) => {
  expect(approvalConflicts(overridesSchema.parse({ tools }))).toEqual([]);
});
