import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlaneOptions, controlPlaneBinaries } from '../cluster/binaries.ts';
import { type Report, streamReport } from '../cluster/report.ts';

/** A stand-in for a program of the control plane: it runs and tells a version. */
const RUNS = '#!/bin/sh\necho fake 1.0\n';

/** Everything the preparation touches, in a temporary folder. */
export interface Sandbox {
  readonly root: string;
  /** Where prepared programs are kept. */
  readonly cache: string;
  /** Each command line of the fake `go`, oldest first. */
  goCalls(): Promise<readonly string[]>;
  /** Replaces the fake `go`; the shell text finds the path after `-o` in `$out`. */
  fakeGo(body: string): Promise<void>;
  /** Writes an executable. */
  program(path: string, text?: string): Promise<void>;
  /** The progress messages so far. */
  told(): string;
  /** The folder below the cache for the pinned module; it exists once something was prepared. */
  folder(): Promise<string>;
  prepare(options?: ControlPlaneOptions): Promise<string>;
  readonly env: NodeJS.ProcessEnv;
  readonly report: Report;
}

const MAKES_IT = `printf '#!/bin/sh\\necho built\\n' > "$out"; chmod +x "$out"`;

/** A fresh sandbox whose fake `go` makes a working program at once, and whose download is left out. */
export async function sandbox(): Promise<Sandbox> {
  const root = await mkdtemp(join(tmpdir(), 'dynamic-toolset-binaries-'));
  const cache = join(root, 'cache');
  const bin = join(root, 'bin');
  const moduleFolder = join(root, 'module');
  const log = join(root, 'go.log');
  await mkdir(bin);
  await mkdir(moduleFolder);
  await writeFile(
    join(moduleFolder, 'go.mod'),
    'module x\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v1.36.3\n',
  );
  await writeFile(join(moduleFolder, 'go.sum'), 'sums\n');
  let told = '';
  const report = streamReport({ write: (text) => (told += text) });
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: root };
  const program = async (path: string, text = RUNS): Promise<void> => {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text, { mode: 0o755 });
  };
  const fakeGo = (body: string): Promise<void> =>
    program(
      join(bin, 'go'),
      [
        '#!/bin/sh',
        `echo "in $PWD: $*" >> ${log}`,
        'while [ $# -gt 0 ]; do if [ "$1" = -o ]; then out=$2; fi; shift; done',
        body,
        '',
      ].join('\n'),
    );
  await fakeGo(MAKES_IT);
  return {
    root,
    cache,
    env,
    report,
    fakeGo,
    program,
    told: () => told,
    goCalls: async () =>
      (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
    async folder() {
      const names = (await readdir(cache)).filter((name) => !name.endsWith('.lock'));
      if (names.length !== 1) throw new Error(`expected one folder in ${cache}: ${names.join(', ')}`);
      return join(cache, names[0] ?? '');
    },
    prepare: (options = {}) =>
      controlPlaneBinaries({ env, cacheFolder: cache, moduleFolder, download: false, report, ...options }),
  };
}
