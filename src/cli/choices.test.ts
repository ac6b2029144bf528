import { expect, test } from 'vitest';
import { OUTPUT_IDS } from '../model/output-ids.ts';
import { ALL_OUTPUTS } from '../outputs/registry.ts';

test('the outputs in help and API are those of the registry', () => {
  expect([...OUTPUT_IDS].sort()).toEqual(ALL_OUTPUTS.map(({ id }) => id).sort());
});
