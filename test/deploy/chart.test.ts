import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { isMap, isScalar, parse, parseDocument, type YAMLMap } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { keyOf, readConfigData } from '../../src/config/config-map.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from '../../src/config/setting-table.ts';
import { readSettings } from '../../src/config/settings.ts';
import { testCluster } from '../cluster/cluster.ts';
import { CHART, helm, noHelm, objects, only, RELEASE, render, type Values } from './chart.ts';
import { matrix } from './matrix.ts';

interface RoleRule {
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const GOLDEN = join(import.meta.dirname, 'golden');
const PLACES = { watched: 'monitoring', other: 'shop', holmes: 'holmesgpt' };

beforeEach(({ skip }) => skip(noHelm !== undefined, noHelm));

describe('rendered objects', () => {
  test.each(Object.entries(matrix(PLACES)))(
    'helm lint --strict reports nothing: %s',
    async (_for, values) => {
      const { code, stdout } = await helm(['lint', '--strict', CHART], values);
      expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
      expect(code).toBe(0);
    },
  );

  const files = readdirSync(GOLDEN).filter((name) => name.endsWith('.values.yaml'));
  test.each(files)('%s renders the golden file', async (file) => {
    const values = parse(readFileSync(join(GOLDEN, file), 'utf8')) as Values;
    await expect(await render(values)).toMatchFileSnapshot(
      join(GOLDEN, file.replace('.values', '.rendered')),
    );
  });

  test('the versions are those of the program', () => {
    const { version, appVersion } = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Values;
    expect([version, appVersion]).toEqual([packageJson.version, packageJson.version]);
  });

  test('the permissions for further ConfigMaps cover as many as the program may write', async () => {
    const namesFor = async (values: Values): Promise<unknown> => {
      const roles = (await objects(values)).filter(({ kind }) => kind === 'Role');
      const rules = roles.flatMap(
        (role) => (role as unknown as { readonly rules: readonly RoleRule[] }).rules,
      );
      return rules.filter(
        ({ verbs, resources }) => verbs.includes('delete') && resources.includes('configmaps'),
      );
    };
    const upTo = (most: number) =>
      Array.from({ length: most - 1 }, (_, index) => `kubernaut-toolset-config-${index + 2}`);
    const some = matrix(PLACES)['two namespaces'] as Values;
    const settings = (some as { readonly settings?: object }).settings ?? {};
    expect(await namesFor(some)).toMatchObject([{ resourceNames: upTo(SETTINGS.maxShards.defaultValue) }]);
    expect(await namesFor({ ...some, settings: { ...settings, maxShards: 2 } })).toMatchObject([
      { resourceNames: upTo(2) },
    ]);
    expect(await namesFor({ ...some, settings: { ...settings, maxShards: 1 } })).toEqual([]);
  });

  test('alerts and dashboard match the files', async () => {
    const all = await objects(matrix(PLACES).monitoring);
    const rule = only(all, 'PrometheusRule') as unknown as { readonly spec: unknown };
    expect(rule.spec).toEqual(parse(readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8')));
    const dashboard = all.find(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    const [text] = Object.values((dashboard as unknown as { readonly data: object }).data);
    expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(CHART, 'files/dashboard.json'), 'utf8')));
  });

  /** The chart for a cluster, since that of these tests does not tell its version. @returns its folder */
  async function forCluster(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'chart-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(CHART, folder, { recursive: true });
    const about = readFileSync(join(CHART, 'Chart.yaml'), 'utf8');
    await writeFile(join(folder, 'Chart.yaml'), about.replace(/^kubeVersion:.*$/m, ''));
    return folder;
  }

  test.each([
    [
      { settings: { namespaces: ['default', 'not-there'] } },
      'settings.namespaces: there is no namespace not-there',
    ],
    [
      { settings: { namespaces: ['default'], configMapNamespace: 'not-there' } },
      'settings.configMapNamespace: there is no namespace not-there',
    ],
    [
      {
        settings: {
          namespaces: ['*'],
          holmesgptDeployment: 'not-there/holmes',
          holmesgptReload: 'restart',
        },
      },
      'settings.holmesgptDeployment: there is no namespace not-there',
    ],
    [{ settings: { namespaces: ['default', 'not-there'] }, rbac: { create: false } }, undefined],
    [{ settings: { namespaces: ['default', 'kubernaut-system'] } }, undefined],
  ])(
    'a namespace that is missing in the cluster is reported before anything is created: %j',
    async (values, said) => {
      const { code, stderr } = await helm(
        ['install', 'dynamic-toolset', await forCluster(), '-n', 'kubernaut-system', '--dry-run=server'],
        values,
        testCluster().connection.kubeconfigPath,
      );
      if (said === undefined) expect(stderr).not.toContain('there is no namespace');
      else {
        expect(stderr).toContain(said);
        expect(code).not.toBe(0);
      }
    },
  );

  test('the notes name the namespace and the ConfigMap', async () => {
    const folder = await forCluster();
    const { stderr, stdout } = await helm(
      // Other tests install into the usual namespace at the same time.
      ['install', 'dynamic-toolset', folder, '-n', 'chart-notes', '--dry-run=client'],
      { settings: { configMapNamespace: 'holmesgpt', configMapName: 'tools' } },
      testCluster().connection.kubeconfigPath,
    );
    expect(stderr).toBe('');
    expect(stdout).toContain('kubectl -n holmesgpt get configmap tools -o yaml');
    expect(stdout).toContain(
      'kubectl toolset diff --configmap-namespace holmesgpt --configmap-name tools --settings-configmap dynamic-toolset-config',
    );
  });
});

describe('the settings', () => {
  /** Of these the Deployment speaks, or nothing has to be said in a Pod. */
  const ELSEWHERE: readonly SettingName[] = [
    'settingsConfigMap',
    'apiAddress',
    'metricsAddress',
    'healthAddress',
    'tlsCertFile',
    'tlsKeyFile',
    'tlsClientCaFile',
  ];
  /** A value for each setting that it can have; the program's own reader says whether it can. */
  const GIVEN: Readonly<Record<string, unknown>> = {
    discoveryInterval: '1h30m',
    namespaces: ['monitoring', 'shop'],
    configMapName: 'tools.v1',
    configMapNamespace: 'holmesgpt',
    clusterDomain: 'cluster.example',
    allowedHosts: ['a.example', '*.b.example'],
    allowExternalNames: true,
    probe: 'direct',
    healthCheckTimeout: '1s500ms',
    probeConcurrency: 1000,
    maxBackends: 10_000,
    maxNamespaceServices: 10_000,
    maxToolsPerNamespace: 10_000,
    maxDocumentKib: 900,
    maxShards: 16,
    maxDescriptionBytes: 1_000_000,
    maxDescriptionBytesPerNamespace: 1_000_000,
    maxAgentTools: 10_000,
    mcpPolicy: 'publish',
    connectTo: ['a:80:b:81', 'c:80:d:81'],
    holmesgptVersion: '0.45.0',
    holmesgptOpenshift: true,
    holmesgptDeployment: 'holmesgpt/holmes-holmes',
    holmesgptConfigMap: true,
    holmesgptReload: 'restart',
    holmesgptReloadInterval: '10m',
    revisionHistoryLimit: 100,
    removalHold: '15m',
    leaderElection: true,
    leaseName: 'lease',
    authEnabled: true,
    authAudiences: ['dynamic-toolset'],
    authorizationEnabled: true,
    metricsAuthEnabled: false,
    rateLimit: 100_000,
    rateLimitBurst: 100_000,
    maxConnectionsPerAddress: 1_000,
    shutdownDelay: '0s',
    shutdownTimeout: '1m',
    logLevel: 'debug',
    logFormat: 'pretty',
  };

  test('all can be set except those that the chart sets itself, and reach the program unchanged', async () => {
    expect([...Object.keys(GIVEN), 'holmesgptUrl', ...ELSEWHERE].sort()).toEqual([...SETTING_NAMES].sort());
    const all = await objects({ settings: GIVEN, holmesgpt: { configMapName: 'x' } });
    const { data } = only(all, 'ConfigMap') as unknown as { readonly data: Readonly<Record<string, string>> };
    const { texts, faults } = readConfigData(data, 'the ConfigMap', () => ({ known: [], isComplete: false }));
    expect(faults).toEqual([]);
    const byDeployment = ['configMapNamespace', 'leaderElection', 'leaseName'];
    for (const [name, value] of Object.entries(GIVEN)) {
      const text = [value].flat().join(',');
      if (byDeployment.includes(name)) expect(data).not.toHaveProperty(keyOf(name as SettingName));
      else expect([name, texts[name as SettingName]]).toEqual([name, text]);
    }
    const given = Object.entries(texts).map(([name, text]) => [name, { text, origin: name }]);
    expect(() => readSettings(Object.fromEntries(given))).not.toThrow();
  });

  test('the defaults of the chart match the program, except for namespaces and election', async () => {
    const defaults = readSettings({}) as unknown as Values;
    const { settings } = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as {
      settings: Record<string, unknown>;
    };
    const { configMapNamespace, leaseName, holmesgptDeployment, ...said } = settings;
    expect([configMapNamespace, leaseName, holmesgptDeployment]).toEqual(['', '', '']);
    expect({
      ...said,
      shutdownDelay: Number.parseInt(String(said.shutdownDelay), 10) * 1000,
      shutdownTimeout: Number.parseInt(String(said.shutdownTimeout), 10) * 1000,
    }).toEqual({
      ...Object.fromEntries(Object.keys(said).map((name) => [name, defaults[name]])),
      namespaces: ['monitoring'],
      leaderElection: true,
    });
  });
});

describe('values.yaml and its schema', () => {
  interface Schema {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly additionalProperties?: boolean;
  }
  const schema = JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema;
  const document = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));

  /** Each value, with its comment and what the schema says of it. */
  function* each(
    map: YAMLMap,
    of: Schema | undefined,
    path = '',
  ): Generator<readonly [string, string, Schema | undefined]> {
    for (const [index, { key, value }] of map.items.entries()) {
      if (!isScalar(key)) continue;
      const name = `${path}${key.value}`;
      const inner = of?.properties?.[String(key.value)];
      const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? '';
      if (isMap(value) && inner?.properties !== undefined) yield* each(value, inner, `${name}.`);
      else yield [name, comment, inner];
    }
  }
  const values = [...each(document.contents as YAMLMap, schema)];

  test('every value has a comment and an entry in the schema', () => {
    expect(values.length).toBeGreaterThan(60);
    const first = document.commentBefore ?? '';
    expect(values.filter(([, comment], index) => comment === '' && (index > 0 || first === ''))).toEqual([]);
    expect(values.filter(([, , inner]) => inner === undefined)).toEqual([]);
  });

  test.each([
    [{ replica: 1 }, 'replica'],
    [{ replicas: 'two' }, '/replicas'],
    [{ replicas: -1 }, '/replicas'],
    [{ image: { pullPolicy: 'Sometimes' } }, '/image/pullPolicy'],
    [{ image: { tag: 'a b' } }, '/image/tag'],
    [{ settings: { namespaces: ['Monitoring'] } }, '/settings/namespaces/0'],
    [{ settings: { namespaces: [] } }, '/settings/namespaces'],
    [{ settings: { namespaces: 'monitoring' } }, '/settings/namespaces'],
    [{ settings: { configMapNamespace: 'a_b' } }, '/settings/configMapNamespace'],
    [{ settings: { discoveryInterval: 5 } }, '/settings/discoveryInterval'],
    [{ settings: { discoveryInterval: '5 minutes' } }, '/settings/discoveryInterval'],
    [{ settings: { holmesgptReload: 'reload' } }, '/settings/holmesgptReload'],
    [{ settings: { holmesgptDeployment: 'holmes' } }, '/settings/holmesgptDeployment'],
    [{ settings: { apiAddress: ':80' } }, 'apiAddress'],
    [{ settings: { maxBackends: 0 } }, '/settings/maxBackends'],
    [{ detectors: { grafana: { enable: false } } }, 'enable'],
    [
      { credentials: { grafana: { apiKey: 'not-a-variable', namespaces: ['a'] } } },
      '/credentials/grafana/apiKey',
    ],
    [{ credentials: { grafana: { apiKey: 'KEY' } } }, '/credentials/grafana'],
    [{ tenants: { loki: [] } }, '/tenants/loki'],
    [{ tenants: { 'a/b/c': 'x' } }, 'a/b/c'],
    [{ certificates: { loki: { clientCertificateFile: '/c', clientKeyFile: '/k' } } }, '/certificates/loki'],
    [{ certificates: { 'a/b': { clientKeyFile: '/k' } } }, '/certificates/'],
    [{ certificates: { 'a/b': { caFile: '-----BEGIN CERTIFICATE-----' } } }, '/certificates/'],
    [{ customDetectors: { '../x': 'type: x' } }, '../x'],
    [{ networkPolicy: { apiServerPorts: [0] } }, '/networkPolicy/apiServerPorts/0'],
    [{ networkPolicy: { apiServerCidrs: ['10.0.0.1'] } }, '/networkPolicy/apiServerCidrs/0'],
    [{ tls: { secretName: 'Upper' } }, '/tls/secretName'],
  ])('%j is rejected, and the message names %s', async (given, named) => {
    const { code, stderr } = await helm(['template', RELEASE.name, CHART], given);
    expect(code).not.toBe(0);
    expect(stderr).toContain(named);
    expect(stderr).toContain("don't meet the specifications of the schema");
  });

  test.each([
    [{ settings: { leaderElection: false } }, 'replicas: more than one needs settings.leaderElection'],
    [
      { settings: { holmesgptConfigMap: true, holmesgptDeployment: 'a/b' } },
      'settings.holmesgptConfigMap needs holmesgpt.configMapName',
    ],
    [{ settings: { holmesgptReload: 'restart' } }, 'need settings.holmesgptDeployment'],
    [{ settings: { holmesgptDeployment: 'a/b' } }, 'settings.holmesgptDeployment alone does nothing'],
    [{ settings: { holmesgptReload: 'endpoint' } }, 'need each other'],
    [{ settings: { holmesgptUrl: 'http://holmes' } }, 'need each other'],
    [{ tls: { clientCaConfigMap: 'ca' } }, 'tls.clientCaConfigMap needs tls.secretName'],
  ])('%j is inconsistent: %s', async (given, said) => {
    const { code, stderr } = await helm(['template', RELEASE.name, CHART], given);
    expect(code).not.toBe(0);
    expect(stderr).toContain(said);
  });
});
