import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { controlPlaneBinaries } from '../cluster/binaries.ts';
import { runChild } from '../cluster/child.ts';
import { inNamespace, namespaceProblem } from '../proxy/namespace.ts';
import type { Finding } from './case.ts';
import type { RoundReport, Route } from './inside.ts';
import { type Placed, ROUNDS } from './rounds.ts';
import { adviceOn, backendsIn, holmesLinesIn, type SaidOfBackend, warningsIn } from './said.ts';

/** A first run may have to build the API server. */
const PREPARE_LIMIT_MS = 20 * 60_000;
const RUN_LIMIT_MS = 300_000;

const problem = await namespaceProblem();
const title = 'installations as their users run them';

/** All that must be said of a backend, with the defaults of a truth. */
function whole(finding: Finding, route: Route): Omit<SaidOfBackend, 'texts'> {
  return {
    is: finding.is,
    proven: finding.proven ?? 'AnsweredAsExpected',
    healthy: finding.healthy ?? 'ProbeSucceeded',
    published: finding.published ?? 'InToolset',
    tenant: finding.tenant ?? '-',
    trusted: route === 'direct' ? (finding.trusted ?? '-') : '-',
    also: (finding.also ?? []).toSorted(),
  };
}

const containing = (texts: readonly (string | RegExp)[]) =>
  texts.map((each) =>
    typeof each === 'string' ? expect.stringContaining(each) : expect.stringMatching(each),
  );

describe.skipIf(problem !== undefined)(problem === undefined ? title : `${title}: ${problem}`, () => {
  let reports: readonly RoundReport[];

  beforeAll(async () => {
    const binaries = await controlPlaneBinaries();
    const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-replay-'));
    try {
      const file = join(folder, 'report.json');
      const inside = join(import.meta.dirname, 'inside.ts');
      const [command, args] = inNamespace([process.execPath, inside, inject('program'), file]);
      const { code, tail } = await runChild(command, args, {
        env: { ...process.env, KUBEBUILDER_ASSETS: binaries, TMPDIR: folder },
        abort: AbortSignal.timeout(RUN_LIMIT_MS),
      });
      if (code !== 0) throw new Error(`inside.ts ended with ${code}\n${tail.join('\n')}`);
      reports = JSON.parse(await readFile(file, 'utf8'));
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }, PREPARE_LIMIT_MS);

  function reportOf(round: string, route: Route): RoundReport {
    const found = reports.find((report) => report.round === round && report.route === route);
    if (found === undefined) throw new Error(`no report of ${round} ${route}`);
    return found;
  }

  function check({ namespace, entry }: Placed, report: RoundReport): void {
    const truth = { ...entry.truth, ...(report.route === 'direct' ? {} : entry.throughProxy) };
    const said = backendsIn(report, namespace);
    const facts = Object.fromEntries(
      Object.entries(said).map(([name, { texts: _texts, ...rest }]) => [name, rest]),
    );
    expect(facts).toEqual(
      Object.fromEntries(
        Object.entries(truth.found).map(([name, finding]) => [name, whole(finding, report.route)]),
      ),
    );
    expect(holmesLinesIn(report, namespace)).toEqual(truth.holmes);
    for (const [name, { says = [] }] of Object.entries(truth.found))
      for (const text of containing(says)) expect(said[name]?.texts, name).toEqual(text);
    for (const text of containing(truth.warns ?? [])) expect(warningsIn(report, namespace)).toEqual(text);
    for (const [name, texts] of Object.entries(truth.advice ?? {}))
      for (const text of containing(texts)) expect(adviceOn(report, namespace, name), name).toEqual(text);
  }

  for (const { name: round, cases } of ROUNDS)
    for (const [kind, ofKind] of Map.groupBy(cases, ({ kind }) => kind))
      describe(kind, () => {
        test.each(
          ofKind.flatMap((placed) =>
            (['direct', 'apiserver-proxy'] as const).map(
              (route) => [placed.entry.name, route, placed] as const,
            ),
          ),
        )('%s, %s', (_name, route, placed) => {
          check(placed, reportOf(round, route));
        });
      });
});
