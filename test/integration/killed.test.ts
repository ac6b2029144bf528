import { describe, test } from 'vitest';
import { deleted, killedAtEach, MINE, type Publication, publishedTwice } from './killing.ts';

const once = ['serve', '--once'];

const PUBLICATIONS: readonly Publication[] = [
  {
    what: 'the first one',
    before: (given) => given.prometheus(),
    args: once,
    changes: 2,
    overrides: undefined,
  },
  {
    what: 'an update',
    before: async (given, env) => {
      await publishedTwice(given, env);
      await given.removeService('prometheus');
    },
    args: once,
    changes: 2,
    overrides: MINE,
  },
  { what: 'one after the ConfigMap was deleted', before: deleted, args: once, changes: 3, overrides: MINE },
];

describe('killed before and after each write', { timeout: 120_000 }, () => {
  test.for(PUBLICATIONS)('$what: the next serve brings it to its end', killedAtEach);
});
