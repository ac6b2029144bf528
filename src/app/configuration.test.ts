import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../model/errors.ts';
import { type ConfigurationSources, readConfiguration } from './configuration.ts';

const WHERE = 'ConfigMap a/b';
const sources = (more: Partial<ConfigurationSources> = {}): ConfigurationSources => ({
  texts: {},
  env: {},
  file: undefined,
  detectorFolders: [],
  ...more,
});

/** A file with this content, in a folder of its own. */
async function fileWith(content: string): Promise<{ readonly folder: string; readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'configuration-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'config.yaml');
  await writeFile(path, content);
  return { folder, path };
}

/** The faults that refuse it, a line each. */
async function faults(...args: Parameters<typeof readConfiguration>): Promise<string[]> {
  const failure = await readConfiguration(...args).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigError);
  return (failure as ConfigError).message.split('\n');
}

test('all faults of all sources are reported together, each with its place', async () => {
  const { path } = await fileWith('foo: 1\nmaxShards: many\ndetectors:\n  lokki: {}\n');
  const data = {
    'max-backends': 'abc',
    'mcp-policy': 'yes',
    'foo-bar': '1',
    'configmap-namespace': 'x',
    detectors: 'grafanna: {}\nloki: {enabled: maybe, healthpath: /x}\n',
    credentials: 'loki: {bearerToken: TOKEN}\n',
  };
  const env = { LOG_LEVEL: 'loud', ENABLE_GRAFANA: 'no' };
  const lines = await faults(sources({ env, file: path }), { data, where: WHERE });
  expect(lines).toEqual([
    expect.stringMatching(/^ConfigMap a\/b: detectors:1:1: grafanna: there is no detector .*mean grafana/),
    expect.stringMatching(/^ConfigMap a\/b: detectors:2:\d+: loki\.enabled: must be true or false/),
    expect.stringMatching(/^ConfigMap a\/b: detectors:2:\d+: loki: unknown key "healthpath"/),
    expect.stringMatching(/^ConfigMap a\/b: credentials:1:\d+: loki: /),
    expect.stringMatching(/^ConfigMap a\/b: "foo-bar" is not a setting/),
    expect.stringMatching(/^ConfigMap a\/b: configmap-namespace says where/),
    expect.stringContaining(`${path}:1:1: unknown key "foo"`),
    expect.stringMatching(/config\.yaml:4:\d+: detectors\.lokki: there is no detector .*mean loki/),
    expect.stringMatching(/^ENABLE_GRAFANA="no" must be one of true, false/),
    expect.stringMatching(/^ConfigMap a\/b: max-backends="abc" is not a whole number/),
    expect.stringMatching(/^ConfigMap a\/b: mcp-policy="yes" must be one of/),
    expect.stringMatching(/config\.yaml:\d+:\d+: maxShards="many" is not a whole number/),
    expect.stringMatching(/^LOG_LEVEL="loud" must be one of/),
  ]);
});

test('certificates of the ConfigMap and the file are joined by key, and those of the ConfigMap take precedence', async () => {
  const { path } = await fileWith('certificates:\n  loki: {caFile: /a}\n  tempo: {caFile: /b}\n');
  const data = { certificates: 'loki: {caFile: /c}' };
  const { certificates } = await readConfiguration(sources({ file: path }), { data, where: WHERE });
  expect(certificates).toEqual({ loki: { caFile: '/c' }, tempo: { caFile: '/b' } });
});

describe('ENABLE_TYPE', () => {
  const disabled = async (env: Record<string, string>) =>
    (await readConfiguration(sources({ env }))).disabledDetectors;

  test('is true or false', async () => {
    expect(await disabled({ ENABLE_GRAFANA: 'false', ENABLE_LOKI: 'true', ENABLE_TEMPO: '' })).toEqual([
      'grafana',
    ]);
    for (const text of ['no', '0', 'False', ' '])
      expect(await faults(sources({ env: { ENABLE_GRAFANA: text } }))).toEqual([
        expect.stringMatching(/^ENABLE_GRAFANA=".*" must be one of true, false/),
      ]);
  });

  test('of an unknown type may be a variable of another program', async () => {
    expect(await disabled({ ENABLE_FOO: 'yes', ENABLE_FEATURE_X: 'no' })).toEqual([]);
    expect(await disabled({ ENABLE_GRAFANNA: 'false' })).toEqual(['grafanna']);
  });
});

describe('options of a type without a detector', () => {
  const options = { data: { detectors: 'abacus: {enabled: false}' }, where: WHERE };

  test('are an error', async () => {
    expect(await faults(sources(), options)).toEqual([
      expect.stringContaining('abacus: there is no detector'),
    ]);
  });

  test('are no error if a detector with a fault may have that type', async () => {
    const { folder } = await fileWith('type: [');
    const { detectors } = await readConfiguration(sources({ detectorFolders: [folder] }), options);
    expect(Object.keys(detectors)).toEqual(['abacus']);
  });
});
