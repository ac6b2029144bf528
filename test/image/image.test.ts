/** No engine runs here: what the recipe says is checked, and its steps are done one by one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import dockerIgnore from '@balena/dockerignore';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Step, stagesOf } from './recipe.ts';

const repository = join(import.meta.dirname, '../..');
const stages = stagesOf(readFileSync(join(repository, 'Containerfile'), 'utf8'));
const [build = [], final = []] = stages;
const the = (stage: readonly Step[], keyword: string): Step => {
  const found = stage.filter((step) => step.keyword === keyword);
  const [step] = found;
  if (step === undefined || found.length > 1) throw new Error(`${found.length} times ${keyword}, not once`);
  return step;
};

let folder = '';
let context = '';
let image = '';

/** What `.dockerignore` lets through, copied as the build sees it. */
function copyContext(): void {
  const ignore = dockerIgnore.default().add(readFileSync(join(repository, '.dockerignore'), 'utf8'));
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(repository, path)) && !ignore.ignores(path));
  for (const path of files) {
    mkdirSync(join(context, dirname(path)), { recursive: true });
    copyFileSync(join(repository, path), join(context, path));
  }
}

/** Does the stage that builds in `work`. `npm ci` is not done again: its result here is linked in its place. */
function doBuild(work: string): void {
  mkdirSync(work);
  for (const { keyword, words, text } of build) {
    if (keyword === 'COPY') {
      for (const from of words.slice(0, -1))
        cpSync(join(context, from), join(work, from === '.' ? '' : from), { recursive: true });
    } else if (keyword === 'RUN' && text.startsWith('npm ci')) {
      execFileSync('cp', ['-al', join(repository, 'node_modules'), join(work, 'node_modules')]);
    } else if (keyword === 'RUN') {
      execFileSync('sh', ['-c', text], { cwd: work, stdio: 'pipe' });
    }
  }
}

/** Copies what the final stage copies, into the root folder of an image. */
function doFinal(work: string): void {
  const app = join(image, the(final, 'WORKDIR').text);
  mkdirSync(app, { recursive: true });
  for (const { keyword, words, flags } of final) {
    if (keyword !== 'COPY') continue;
    const from = flags.from === 'build' ? work : context;
    for (const path of words.slice(0, -1)) {
      const source = join(from, flags.from === 'build' ? path.replace(the(build, 'WORKDIR').text, '') : path);
      if (statSync(source).isDirectory()) cpSync(source, app, { recursive: true });
      else copyFileSync(source, join(app, path));
    }
  }
}

const filesOf = (root: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    globSync('**/*', { cwd: root })
      .filter((path) => statSync(join(root, path)).isFile())
      .sort()
      .map((path) => [
        path,
        createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex'),
      ]),
  );

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dynamic-toolset-image-'));
  context = join(folder, 'context');
  image = join(folder, 'image');
  copyContext();
  doBuild(join(folder, 'build'));
  doFinal(join(folder, 'build'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

test('the image runs as a numeric non-root user, without a shell', () => {
  expect(the(final, 'USER').text).toBe('1000:1000');
  for (const keyword of ['ENTRYPOINT', 'CMD']) expect(the(final, keyword).isJson).toBe(true);
  expect(final.filter(({ keyword }) => ['RUN', 'ADD', 'HEALTHCHECK', 'VOLUME'].includes(keyword))).toEqual(
    [],
  );
  expect(the(final, 'EXPOSE').words).toEqual(['8080', '8081', '9090']);
});

test('each base image has its full name, with tag and digest, and the build runs on the native platform', () => {
  expect(stages).toHaveLength(2);
  // Dependabot reads such lines; it does not fill in arguments.
  for (const stage of stages)
    expect(the(stage, 'FROM').words.find((word) => word.includes('/'))).toMatch(
      /^[a-z0-9.]+\.[a-z]+\/[a-z0-9/-]+:[\w.-]+@sha256:[0-9a-f]{64}$/,
    );
  expect(the(build, 'FROM').flags.platform).toBe('$BUILDPLATFORM');
});

test('a base image without a digest gets the one its registry has for the tag, once', () => {
  const work = join(folder, 'pinning');
  mkdirSync(join(work, 'bin'), { recursive: true });
  const unpinned = readFileSync(join(repository, 'Containerfile'), 'utf8').replace(
    /@sha256:[0-9a-f]{64}/,
    '',
  );
  writeFileSync(join(work, 'Containerfile'), unpinned);
  const digest = `sha256:${'a'.repeat(64)}`;
  writeFileSync(join(work, 'bin/docker'), `#!/bin/sh\necho "$4" >>asked\necho ${digest}\n`, { mode: 0o755 });
  const pin = (): string[] =>
    execFileSync(join(repository, '.ci/pin-base-images'), {
      cwd: work,
      env: { ...process.env, PATH: `${join(work, 'bin')}:${process.env.PATH}` },
      encoding: 'utf8',
    })
      .trim()
      .split('\n');
  const pinned = pin();
  expect(pinned).toHaveLength(2);
  for (const image of pinned) expect(image).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
  const recipe = readFileSync(join(work, 'Containerfile'), 'utf8');
  expect(
    stagesOf(recipe).map((stage) => the(stage, 'FROM').words.find((word) => word.includes('/'))),
  ).toEqual(pinned);
  const asked = () => readFileSync(join(work, 'asked'), 'utf8').trim().split('\n');
  expect(pinned[0]).toContain(`@${digest}`);
  expect(pinned[0]).toContain(asked()[0]);
  expect(pin()).toEqual(pinned);
  expect(asked()).toHaveLength(1);
});

test('the image has labels that describe it', () => {
  const labels = the(final, 'LABEL').text;
  for (const name of ['title', 'description', 'licenses', 'source', 'version', 'revision'])
    expect(labels).toContain(`org.opencontainers.image.${name}=`);
});

test('only the files that the build needs are sent to it', () => {
  expect(readdirSync(context).sort()).toEqual([
    'LICENSE',
    'deploy',
    'detectors',
    'package-lock.json',
    'package.json',
    'scripts',
    'src',
    'tsconfig.json',
  ]);
  expect(readdirSync(join(context, 'scripts')).sort()).toEqual([
    'build-library.ts',
    'build-plugins.ts',
    'build.ts',
  ]);
});

test('the build is independent of the platform, and reproducible in another folder', () => {
  const files = filesOf(join(folder, 'build/dist'));
  const kinds = new Set(Object.keys(files).map((path) => path.replace(/^.*\./, '')));
  expect([...kinds].sort()).toEqual(['css', 'js', 'json', 'txt']);
  doBuild(join(folder, 'another'));
  expect(filesOf(join(folder, 'another/dist'))).toEqual(files);
});

test('the bill of materials lists the packages whose licences are in LICENSES.txt', () => {
  const read = (name: string): string => readFileSync(join(folder, 'build/dist', name), 'utf8');
  const { components } = JSON.parse(read('sbom.cdx.json')) as {
    components: { name: string; version: string; licenses: { expression: string }[] }[];
  };
  const listed = components.map(
    ({ name, version, licenses }) => `${name} ${version} (${licenses[0]?.expression})`,
  );
  const titles = read('LICENSES.txt')
    .split(/\n\n(?:-{80}\n\n)?/)
    .filter((line) => /^\S+ \d+\.\d+\.\d+\S* \(.+\)$/.test(line));
  expect(listed).toEqual(titles);
  expect(listed.length).toBeGreaterThan(20);
});

test('unused parts of the Kubernetes client are left out, and no import of them remains', () => {
  const { components } = JSON.parse(readFileSync(join(folder, 'build/dist/sbom.cdx.json'), 'utf8')) as {
    components: { name: string }[];
  };
  const names = components.map(({ name }) => name);
  expect(names).toContain('@kubernetes/client-node');
  expect(names).not.toContain('undici');
  const code = globSync('**/*.js', { cwd: join(folder, 'build/dist') }).map((path) =>
    readFileSync(join(folder, 'build/dist', path), 'utf8'),
  );
  expect(
    code.filter((text) => /from ?["']undici["']|class V1PodSpec\b|V1PodSpec\.attributeTypeMap/.test(text)),
  ).toEqual([]);
});

/** Puts Node.js, and the libraries of the system that it needs, where the runtime image has them. */
function addNode(node: string): void {
  mkdirSync(join(image, dirname(node)), { recursive: true });
  copyFileSync(process.execPath, join(image, node));
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g);
  for (const [, library = ''] of libraries) {
    mkdirSync(join(image, dirname(library)), { recursive: true });
    copyFileSync(library, join(image, library));
  }
}

const mayUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;

test('the image is self-contained, and runs with a read-only root', (testContext) => {
  if (process.getuid?.() !== 0 || !mayUnshare) testContext.skip('only root may make a file system read-only');
  const [node = '', ...program] = the(final, 'ENTRYPOINT').words;
  addNode(node);
  cpSync(join(repository, 'demo/cluster'), join(image, 'manifests'), { recursive: true });
  mkdirSync(join(image, 'tmp'));
  const script =
    'mount --bind "$1" "$1" && mount -t tmpfs -o mode=1777 none "$1/tmp" && mount -o remount,ro,bind "$1" && shift && exec chroot "$@"';
  const run = (...args: string[]) =>
    spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        script,
        'sh',
        image,
        '--userspec',
        the(final, 'USER').text,
        image,
        node,
        ...program,
        ...args,
      ],
      { encoding: 'utf8', env: { PATH: process.env.PATH } },
    );

  expect(run('version')).toMatchObject({ status: 0, stdout: expect.stringContaining('dynamic-toolset') });
  const found = run('discover', '-f', '/manifests', '-o', 'wide', '--probe', 'none');
  expect(found).toMatchObject({ status: 0, stdout: expect.stringMatching(/stack-prometheus\s+prometheus/) });
  const serve = [
    'serve',
    '--once',
    '-f',
    '/manifests',
    '--probe',
    'none',
    '--metrics-address',
    '127.0.0.1:0',
  ];
  expect(run(...serve, '--out', '/tmp/published.yaml').status).toBe(0);
  const refused = run(...serve, '--out', '/published.yaml');
  expect(refused.status).not.toBe(0);
  expect(refused.stderr + refused.stdout).toMatch(/EROFS|read-only/);
  // The default behavior of the image, without a cluster.
  const alone = run(...the(final, 'CMD').words);
  expect(alone.status).not.toBe(0);
  expect(alone.stderr + alone.stdout).not.toMatch(/Cannot find|ENOENT.*\/app/);
});
