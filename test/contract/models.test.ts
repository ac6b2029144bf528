import { expect, test } from 'vitest';
import { HOLMES_FILES, holmesFile, writtenFile } from '../../scripts/holmes-schema.ts';
import { holmesPython } from '../../scripts/holmes-venv.ts';

test.each(HOLMES_FILES)(
  '%s matches the installed HolmesGPT; npm run holmes-schema writes it',
  {
    timeout: 60 * 60_000,
  },
  async (file) => {
    const python = await holmesPython((line) => console.error(line));
    expect(await holmesFile(file, python)).toBe(writtenFile(file));
  },
);
