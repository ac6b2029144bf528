import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { markdownFiles, repository } from '../../scripts/markdown.ts';
import { blocksOf } from './blocks.ts';
import { answerTo } from './program.ts';
import { documentsOf, kindOfYaml } from './yaml.ts';

const KINDS = ['overrides', 'config', 'detector'] as const;
type Kind = (typeof KINDS)[number];

function validator(kind: Kind): ValidateFunction {
  const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
  addFormats.default(ajv);
  return ajv.compile(JSON.parse(readFileSync(join(repository, `schemas/${kind}.schema.json`), 'utf8')));
}
const validators = Object.fromEntries(KINDS.map((kind) => [kind, validator(kind)])) as Record<
  Kind,
  ValidateFunction
>;

/** What a schema says of the documents of a text, as an editor would; empty if nothing is wrong. */
function faults(kind: Kind, text: string): string[] {
  return documentsOf(text).flatMap((document) => {
    const validate = validators[kind];
    validate(document);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
  });
}

/** Whether the program refuses a file. */
const refuses = async (kind: Kind, text: string): Promise<boolean> =>
  (await answerTo(['validate', '--kind', kind, '-'], text)).exitCode !== 0;

const isKind = (kind: string): kind is Kind => (KINDS as readonly string[]).includes(kind);

const inPages = markdownFiles()
  .flatMap(blocksOf)
  .filter(({ language }) => language === 'yaml')
  .flatMap((block): [string, Kind, string][] => {
    const kind = kindOfYaml(block);
    return isKind(kind) ? [[`${block.file}:${block.line}`, kind, block.text]] : [];
  });
const inFolders = globSync('{detectors,demo}/**/*.yaml', { cwd: repository })
  .filter((file) => !file.endsWith('vocabulary.yaml'))
  .flatMap((file): [string, Kind, string][] => {
    const text = readFileSync(join(repository, file), 'utf8');
    const kind = file.startsWith('detectors/')
      ? 'detector'
      : kindOfYaml({ file, line: 1, language: 'yaml', text, output: [] });
    return isKind(kind) ? [[file, kind, text]] : [];
  });

it('there are examples of each kind', () => {
  for (const kind of KINDS)
    expect(inPages.filter(([, each]) => each === kind).length, kind).toBeGreaterThan(0);
  expect(inFolders.length).toBeGreaterThan(20);
});

it.each([...inPages, ...inFolders])('%s matches the schema of its kind, %s', (_, kind, text) => {
  expect(faults(kind, text)).toEqual([]);
});

const DETECTOR = 'type: a\ntitle: A\ndescription: A.\nports: {}\nholmes: {none: not read}\n';

describe('an editor and the program reject', () => {
  it.each<[Kind, string]>([
    ['overrides', 'tool: {}'],
    ['overrides', 'tools: {a/b: {enabled: yes please}}'],
    ['overrides', 'tools: {a/b/c: {enabled: false}}'],
    ['overrides', 'tools: {a/b: {endpoint: "ftp://x"}}'],
    ['overrides', 'tools: {a/b: {endpoint: "http://user:pass@x"}}'],
    ['overrides', 'tools: {a/b: {endpoint: "http://x/?q"}}'],
    ['overrides', 'tools: {a/b: {endpoint: "tcp://x"}}'],
    ['overrides', 'tools: {a/b: {approved: maybe}}'],
    ['overrides', 'tools: {a/b: {description: ""}}'],
    ['overrides', 'holmesgpt: {toolsets: {a.b: {}}}'],
    ['overrides', 'holmesgpt: {toolsets: {a: {config: {b.c: 1}}}}'],
    ['overrides', 'holmesgpt: {toolsets: {a: {backends: {A/B/C: {}}}}}'],
    ['overrides', 'holmesgpt: {mcp_servers: {a: text}}'],
    ['overrides', '[]'],
    ['config', 'namespace: a'],
    ['config', 'mcpPolicy: all'],
    ['config', 'allowExternalNames: perhaps'],
    ['config', 'maxBackends: 0'],
    ['config', 'maxBackends: 1.5'],
    ['config', 'detectors: {loki: {enabled: 1}}'],
    ['config', 'detectors: {loki: {priority: 1001}}'],
    ['config', 'credentials: {grafana: {apiKey: KEY}}'],
    ['config', 'credentials: {a/b: {}}'],
    ['config', 'credentials: {a/b: {namespaces: [a]}}'],
    ['config', 'credentials: {a/b: {username: USER}}'],
    ['config', 'credentials: {a/b: {apiKey: not-a-variable}}'],
    ['config', 'credentials: {a/b: {headers: {}}}'],
    ['detector', `${DETECTOR}port: 1`],
    ['detector', DETECTOR.replace('type: a', 'type: A')],
    ['detector', DETECTOR.replace('ports: {}\n', '')],
    ['detector', `${DETECTOR}signals: [{certainty: label}]`],
    ['detector', `${DETECTOR}signals: [{labels: {a: b}}]`],
    ['detector', `${DETECTOR}exclude: [{why: so}]`],
    ['detector', `${DETECTOR}paths: [{path: /, when: {}}]`],
    ['detector', `${DETECTOR}paths: [{path: x}]`],
    ['detector', `${DETECTOR}probe: {proofs: [{all: []}]}`],
    ['detector', `${DETECTOR}probe: {proofs: [{all: [{get: /, status: [700]}]}]}`],
  ])('%s: %j', async (kind, text) => {
    expect(faults(kind, text)).not.toEqual([]);
    expect(await refuses(kind, text)).toBe(true);
  });
});

it.each<[Kind, string]>([
  ['overrides', ''],
  ['overrides', 'tools: {}'],
  ['overrides', 'tools: {ledger: {type: prometheus, endpoint: "tcp://x:1", description: Ours}}'],
  ['config', 'maxBackends: "10"'],
  ['config', 'allowExternalNames: "true"'],
  ['config', 'credentials: {grafana: {apiKey: KEY, namespaces: [monitoring]}}'],
  ['detector', DETECTOR],
])('an editor and the program accept %s: %j', async (kind, text) => {
  expect(faults(kind, text)).toEqual([]);
  expect(await refuses(kind, text)).toBe(false);
});

// docs/schemas.md lists these.
it.each<[Kind, string]>([
  ['overrides', 'tools: {a: {description: "\\a"}}'],
  ['overrides', 'holmesgpt: {toolsets: {"__proto__": {}}}'],
  ['config', 'discoveryInterval: often'],
  ['config', 'credentials: {a/b: {apiKey: KEY, bearerToken: TOKEN}}'],
  ['detector', `${DETECTOR}accepts: [no-such-role]`],
])('only the program rejects %s: %j', async (kind, text) => {
  expect(faults(kind, text)).toEqual([]);
  expect(await refuses(kind, text)).toBe(true);
});
