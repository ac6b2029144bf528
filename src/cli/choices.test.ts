import { expect, test } from 'vitest';
import { ALL_OUTPUTS } from '../outputs/registry.ts';
import { validateBody } from '../server/api/validate-schemas.ts';
import { DOCUMENT_FORMATS, FILE_KINDS } from './choices.ts';

test('the outputs that help and the API list are those of the registry', () => {
  const outputs = ALL_OUTPUTS.map(({ id }) => id).sort();
  const among = (words: readonly string[], ...others: string[]): string[] =>
    words.filter((word) => !others.includes(word)).sort();
  expect(among(DOCUMENT_FORMATS, 'configmap')).toEqual(outputs);
  expect(among(FILE_KINDS, 'overrides', 'config', 'detector')).toEqual(outputs);
  expect(among(validateBody.shape.kind.options, 'overrides')).toEqual(outputs);
});
