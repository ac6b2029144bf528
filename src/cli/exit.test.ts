import { expect, test } from 'vitest';
import { ClusterError, ConfigError, FindingsError, IncompleteError } from '../model/errors.ts';
import { exitCodeOf } from './exit.ts';

test.each([
  [new FindingsError('x'), 1],
  [new ConfigError('x'), 2],
  [new ClusterError('x'), 3],
  [new IncompleteError('x'), 4],
  [new Error('a bug'), 1],
])('%s ends with its own exit code', (error, code) => expect(exitCodeOf(error)).toBe(code));
