import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { groupOf, membersOf } from './backend.ts';

test('newcomers are members of a backend, but do not count for its id', () => {
  const names = ['loki', 'loki-gateway', 'loki-read'];
  const loki = {
    ...candidate(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })),
    alternates: names.slice(1),
    members: names.map((name) => ({ name, roles: [] })),
    newcomers: ['loki-gateway'],
  };
  expect(membersOf(loki).map(({ name }) => name)).toEqual(names);
  expect(groupOf(loki)).toEqual({
    namespace: 'monitoring',
    members: [
      { name: 'loki', roles: [] },
      { name: 'loki-read', roles: [] },
    ],
  });
});
