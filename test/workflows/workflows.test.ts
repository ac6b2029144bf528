import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { goProgram, NoProgram } from '../cluster/go-program.ts';

const folder = join(import.meta.dirname, '../../.github/workflows');
const workflows = readdirSync(folder).map(
  (name) => [name, readFileSync(join(folder, name), 'utf8')] as const,
);

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly permissions?: Readonly<Record<string, string>> }>>;
}

describe.each(workflows)('%s', (name, text) => {
  it('pins each action to a commit, with its tag in a comment', () => {
    for (const [, action = ''] of text.matchAll(/uses: *(.*)/g))
      expect(action).toMatch(/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('grants write permissions only to specific jobs', () => {
    const { permissions, jobs } = parse(text) as Workflow;
    expect(Object.values(permissions)).not.toContain('write');
    const writing = Object.entries(jobs).flatMap(([job, { permissions = {} }]) =>
      Object.entries(permissions).flatMap(([right, value]) => (value === 'write' ? `${job}: ${right}` : [])),
    );
    const wanted: Readonly<Record<string, readonly string[]>> = {
      'docs.yaml': ['publish: pages', 'publish: id-token'],
      'release.yaml': [
        'image: packages',
        'image: id-token',
        'chart: packages',
        'files: contents',
        'files: id-token',
        'files: attestations',
      ],
    };
    expect(writing).toEqual(wanted[name] ?? []);
  });
});

it('Dependabot checks for newer packages, actions and base images', () => {
  const { updates } = parse(readFileSync(join(folder, '../dependabot.yml'), 'utf8')) as {
    readonly updates: readonly { readonly 'package-ecosystem': string }[];
  };
  expect(updates.map((update) => update['package-ecosystem'])).toEqual(['npm', 'github-actions', 'docker']);
});

it('actionlint finds no errors', { timeout: 30 * 60_000 }, async (context) => {
  const actionlint = await goProgram({
    name: 'actionlint',
    packagePath: 'github.com/rhysd/actionlint/cmd/actionlint',
    moduleFolder: import.meta.dirname,
    versionArguments: ['-version'],
  }).catch((error: unknown) => {
    if (error instanceof NoProgram) return context.skip(error.message);
    throw error;
  });
  // Two more linters that it would call where they are installed: so that each machine says the same.
  const options = ['-no-color', '-shellcheck=', '-pyflakes='];
  const lint = (input: string, ...args: string[]) =>
    spawnSync(actionlint, [...options, ...args], { input, encoding: 'utf8' });
  const files = workflows.map(([name]) => join(folder, name));
  expect(lint('', ...files)).toMatchObject({ status: 0, stdout: '' });
  expect(lint('on: push\njobs: {a: {runs-on: nowhere, steps: []}}', '-').status).toBe(1);
});
