import { describe, expect, test } from 'vitest';
import { start } from './command.ts';
import { deleted, killedAtEach, MINE, type Publication, publishedTwice } from './killing.ts';

const once = ['serve', '--once'];

const PUBLICATIONS: readonly Publication[] = [
  {
    what: 'a rollback',
    before: publishedTwice,
    args: ['rollback', '--to', '1'],
    changes: 2,
    overrides: MINE,
  },
  {
    what: 'a rollback after the ConfigMap was deleted',
    before: deleted,
    args: ['rollback', '--to', '1'],
    changes: 4,
    overrides: MINE,
  },
  {
    what: 'the end of a rollback',
    before: async (given, env) => {
      await publishedTwice(given, env);
      expect((await start(env, 'rollback', '--to', '1').ended).code).toBe(0);
      await given.removeService('prometheus');
    },
    args: once,
    changes: 2,
    overrides: MINE,
  },
];

describe('a rollback, killed before and after each write', {
  timeout: 120_000,
}, () => {
  test.for(PUBLICATIONS)('$what: the next serve brings it to its end', killedAtEach);
});
