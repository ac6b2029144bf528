import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holmesModels } from '../../scripts/holmes-schema.ts';
import { holmesPython } from '../../scripts/holmes-venv.ts';

test('the models are those of the installed HolmesGPT; npm run holmes-schema writes them', {
  timeout: 60 * 60_000,
}, async () => {
  const python = await holmesPython((line) => console.error(line));
  const written = readFileSync(join(import.meta.dirname, '../../src/generate/holmes-models.json'), 'utf8');
  expect(await holmesModels(python)).toBe(written);
});
