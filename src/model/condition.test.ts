import { expect, test } from 'vitest';
import { type Finding, transitions } from './condition.ts';

const healthy = (status: Finding['status'], reason: Finding['reason'], message = ''): Finding => ({
  type: 'Healthy',
  status,
  reason,
  message,
});

test('the transition time of a condition changes with its status, not with its reason or message', () => {
  const first = transitions([healthy('False', 'Timeout', 'no answer within 5.0 s')], [], new Date(1));
  expect(first[0]?.lastTransitionTime).toEqual(new Date(1));
  const second = transitions([healthy('False', 'ErrorAnswer', 'answered 500')], first, new Date(2));
  expect(second).toEqual([
    { ...healthy('False', 'ErrorAnswer', 'answered 500'), lastTransitionTime: new Date(1) },
  ]);
  const third = transitions([healthy('True', 'ProbeSucceeded')], second, new Date(3));
  expect(third[0]?.lastTransitionTime).toEqual(new Date(3));
});

test('a new condition begins now', () => {
  const before = transitions([healthy('True', 'ProbeSucceeded')], [], new Date(1));
  const published: Finding = { type: 'Published', status: 'True', reason: 'InToolset', message: '' };
  const now = transitions([healthy('True', 'ProbeSucceeded'), published], before, new Date(2));
  expect(now.map(({ lastTransitionTime }) => lastTransitionTime.getTime())).toEqual([1, 2]);
});
