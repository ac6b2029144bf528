import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { NoProgram } from '../cluster/go-program.ts';
import { helmProgram } from '../cluster/helm.ts';

/** The folder of the chart. */
export const CHART = join(import.meta.dirname, '../../deploy/helm/dynamic-toolset');

/** Values of the chart, as a values file has them. */
export type Values = Readonly<Record<string, unknown>>;

/** An object as a template gives it. */
export interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** A release: its name, and its namespace. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
}

/** The release that golden files and most tests have. */
export const RELEASE: Release = { name: 'dynamic-toolset', namespace: 'kubernaut-system' };

const found = await helmProgram().catch((error: unknown) => {
  if (error instanceof NoProgram) return error;
  throw error;
});

/** Why tests with Helm must be skipped; `undefined` where there is one. */
export const noHelm: string | undefined = typeof found === 'string' ? undefined : found.message;

/** How Helm ended. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Helm with some values, which it reads from standard input. @param kubeconfig a cluster, for what needs one */
export async function helm(
  args: readonly string[],
  values: Values = {},
  kubeconfig = '/nonexistent',
): Promise<Answer> {
  if (typeof found !== 'string') throw found;
  const run = promisify(execFile)(found, [...args, '--values', '-'], {
    // Nothing of the machine's own Helm or cluster.
    env: { HOME: '/nonexistent', KUBECONFIG: kubeconfig },
  });
  run.child.stdin?.end(JSON.stringify(values));
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: Answer) => ({ code, stdout, stderr }),
  );
}

/** What the chart renders. @throws what Helm says */
export async function render(values: Values = {}, release = RELEASE): Promise<string> {
  const { code, stdout, stderr } = await helm(
    ['template', release.name, CHART, '--namespace', release.namespace],
    values,
  );
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** The objects that the chart renders. */
export async function objects(values: Values = {}, release = RELEASE): Promise<readonly Rendered[]> {
  return parseAllDocuments(await render(values, release)).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const object = document.toJS() as Rendered | null;
    return object === null ? [] : [object];
  });
}

/** The object of a kind. @throws where there is none, or several */
export function only(all: readonly Rendered[], kind: string): Rendered {
  const [first, ...others] = all.filter((object) => object.kind === kind);
  if (first === undefined || others.length > 0) throw new Error(`not one ${kind} but ${others.length + 1}`);
  return first;
}
