import { expect, test } from 'vitest';
import { service } from '../../test/fixtures/unit/service.ts';
import { ApiStatusError } from '../kubernetes/status.ts';
import { type Fault, newState, replaceItems, type SelectedService, syncChange } from './namespace-state.ts';

const server = 'https://kube.example';
const read = (...names: string[]): Map<string, SelectedService> =>
  new Map(names.map((name) => [`a/${name}`, { service: service(name, { namespace: 'a' }) }]));
const fault = (doing: Fault['doing'], code: number): Fault => ({
  doing,
  error: new ApiStatusError(code, 'refused'),
  retryIn: 1_000,
});

/** Two namespaces; `b` was read before and has nothing new. */
function states() {
  const [a, b] = [newState('a'), newState('b')];
  replaceItems(b, new Map());
  b.fresh = undefined;
  return { a, b };
}

test.each([
  ['fails', fault('watch', 500)],
  ['is denied', fault('watch', 403)],
])('a namespace whose list was read counts as read, even if its watch %s', (_, watching) => {
  const { a, b } = states();
  replaceItems(a, read('s'));
  a.fault = watching;
  expect(syncChange([a, b], { server })).toMatchObject({
    kind: 'sync',
    services: [{ name: 's' }],
    stale: ['b'],
    problems: [{ where: 'namespace a' }],
  });
});

test('a namespace without recent reads is stale', () => {
  const { a, b } = states();
  a.synced = true;
  a.fault = fault('list', 500);
  expect(syncChange([a, b], { server })).toMatchObject({ services: [], stale: ['a', 'b'] });
});
