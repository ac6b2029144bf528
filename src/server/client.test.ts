import { expect, test } from 'vitest';
import { clientOf, clientOfUser } from './client.ts';

const caller = (username: string) => ({ username, groups: [], uid: '' }) as never;

test('all ServiceAccounts of a namespace are one client; a user is one, and without a user an address', () => {
  expect(clientOf({ caller: caller('system:serviceaccount:team-a:one'), ip: '10.0.0.1' })).toBe(
    clientOf({ caller: caller('system:serviceaccount:team-a:two'), ip: '10.0.0.2' }),
  );
  expect(clientOfUser('system:serviceaccount:team-a:one')).not.toBe(
    clientOfUser('system:serviceaccount:team-b:one'),
  );
  expect(clientOfUser('ann')).toBe('ann');
  expect(clientOf({ caller: undefined as never, ip: '2001:db8::1' })).toBe('2001:db8:0:0::/64');
});
