import { describe, expect, test } from 'vitest';
import { ConfigError, type UserError } from '../model/errors.ts';
import { SETTINGS, type SettingName, type Settings } from './setting-table.ts';
import { givenSettings, type Layer, readSettings as settingsOfGiven, shownSetting } from './settings.ts';

type Texts = Partial<Record<SettingName, string>>;

const readSettings = (
  flags: Texts,
  env: Record<string, string | undefined>,
  ...layers: readonly Layer[]
): Settings => settingsOfGiven(givenSettings(flags, env, layers));

const layer = (name: string, texts: Texts): Layer => ({ texts, origin: (setting) => `${name}: ${setting}` });

const fromEnv = (texts: Texts): Settings =>
  readSettings(
    {},
    Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [SETTINGS[name as SettingName].env, text]),
    ),
  );

function failure(flags: Texts, env: Record<string, string> = {}): string[] {
  try {
    readSettings(flags, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as UserError).message.split('\n');
  }
  throw new Error('these settings were taken');
}

describe('sources of settings', () => {
  test('without flags and environment, defaults apply', () => {
    expect(readSettings({}, { HOME: '/root', UNRELATED: 'x' })).toMatchObject({
      discoveryInterval: 300_000,
      namespaces: ['monitoring', 'observability', 'default'],
      configMapName: 'kubernaut-toolset-config',
      configMapNamespace: 'kubernaut-system',
      clusterDomain: 'cluster.local',
      healthCheckTimeout: 5_000,
      probeConcurrency: 32,
      allowedHosts: [],
      allowExternalNames: false,
      logLevel: 'info',
      logFormat: 'json',
    });
  });

  test('the environment overrides defaults, flags override the environment', () => {
    const env = { DISCOVERY_INTERVAL: '1m', LOG_LEVEL: 'debug' };
    expect(readSettings({}, env)).toMatchObject({ discoveryInterval: 60_000, logLevel: 'debug' });
    expect(readSettings({ discoveryInterval: '2m' }, env)).toMatchObject({
      discoveryInterval: 120_000,
      logLevel: 'debug',
    });
  });

  test('a configuration file overrides defaults, and everything else overrides the file', () => {
    const file = layer('config.yaml', { discoveryInterval: '1h', logLevel: 'warn', probe: 'none' });
    const env = { LOG_LEVEL: 'debug', PROBE: '' };
    expect(readSettings({ discoveryInterval: '2m' }, env, file)).toMatchObject({
      discoveryInterval: 120_000,
      logLevel: 'debug',
      probe: 'none',
    });
    expect(readSettings({}, {}, file)).toMatchObject({ discoveryInterval: 3_600_000, logLevel: 'warn' });
  });

  test('an empty environment variable counts as unset', () => {
    expect(readSettings({}, { DISCOVERY_INTERVAL: '', NAMESPACES: '' })).toEqual(readSettings({}, {}));
  });

  test('a flag overrides an invalid environment variable', () => {
    expect(readSettings({ logLevel: 'warn' }, { LOG_LEVEL: 'loud' }).logLevel).toBe('warn');
  });

  test('no two settings share a variable or a flag', () => {
    const origins = Object.values(SETTINGS);
    expect(new Set(origins.map(({ env }) => env)).size).toBe(origins.length);
    expect(new Set(origins.map(({ flag }) => flag)).size).toBe(origins.length);
  });
});

describe('values of settings', () => {
  test.each<[SettingName, string, unknown]>([
    ['discoveryInterval', '1s', 1_000],
    ['discoveryInterval', '1h30m', 5_400_000],
    ['discoveryInterval', '24h', 86_400_000],
    ['namespaces', 'a', ['a']],
    ['namespaces', ' b , a,,b ', ['b', 'a']],
    ['namespaces', '*', ['*']],
    ['namespaces', 'a,*', ['*']],
    ['configMapName', 'tools.example', 'tools.example'],
    ['configMapNamespace', 'agents', 'agents'],
    ['clusterDomain', 'k8s.example.com', 'k8s.example.com'],
    ['allowedHosts', ' API.example.com, *.Example.org,', ['api.example.com', '*.example.org']],
    ['allowExternalNames', 'true', true],
    ['allowExternalNames', 'false', false],
    ['probe', 'none', 'none'],
    ['probe', 'apiserver-proxy', 'apiserver-proxy'],
    ['probe', 'direct', 'direct'],
    ['holmesgptVersion', '0.45.0', '0.32'],
    ['holmesgptVersion', 'v0.32.0', '0.32'],
    ['holmesgptVersion', '0.31.9', '0.20'],
    ['holmesgptVersion', '0.20', '0.20'],
    ['allowedHosts', '*', ['*']],
    ['allowedHosts', '10.0.0.*,[fd00::1],my_host', ['10.0.0.*', '[fd00::1]', 'my_host']],
    ['holmesgptVersion', '1.0', '0.32'],
    ['healthCheckTimeout', '100ms', 100],
    ['healthCheckTimeout', '60s', 60_000],
    ['probeConcurrency', '1', 1],
    ['logLevel', 'error', 'error'],
    ['logFormat', 'pretty', 'pretty'],
    ['connectTo', '', new Map()],
    [
      'connectTo',
      'p.monitoring.svc.cluster.local:9090:127.0.0.1:19090, g:80:localhost:3000,',
      new Map([
        ['p.monitoring.svc.cluster.local:9090', { host: '127.0.0.1', port: 19_090 }],
        ['g:80', { host: 'localhost', port: 3_000 }],
      ]),
    ],
  ])('%s %j', (name, text, value) => {
    expect(readSettings({ [name]: text }, {})[name]).toEqual(value);
    if (text !== '') expect(fromEnv({ [name]: text })[name]).toEqual(value);
  });
});

describe('invalid settings', () => {
  const wrong: readonly (readonly [SettingName, string, RegExp])[] = [
    ['discoveryInterval', '5', /5m/],
    ['discoveryInterval', '0s', /1s/],
    ['discoveryInterval', '999ms', /1s/],
    ['discoveryInterval', '25h', /24h/],
    ['namespaces', 'monitoring,Not_One', /Not_One/],
    ['namespaces', 'a'.repeat(64), /namespace/],
    ['namespaces', 'a b', /a b/],
    ['configMapName', 'No', /ConfigMap/],
    ['configMapName', 'a..b', /ConfigMap/],
    ['configMapNamespace', 'a.b', /namespace/],
    ['clusterDomain', 'cluster.local.', /domain/],
    ['clusterDomain', 'http://x', /domain/],
    ['allowExternalNames', 'yes', /true.*false/],
    ['probe', 'telepathy', /direct.*none/],
    ['holmesgptVersion', 'latest', /0\.45/],
    ['healthCheckTimeout', 'soon', /duration/],
    ['healthCheckTimeout', '99ms', /duration/],
    ['healthCheckTimeout', '60001ms', /duration/],
    ['probeConcurrency', '0', /1/],
    ['probeConcurrency', '1001', /1000/],
    ['probeConcurrency', '-1', /whole number/],
    ['probeConcurrency', '1.5', /whole number/],
    ['probeConcurrency', '9'.repeat(30), /1000/],
    ['connectTo', 'a:1:b', /HOST:PORT/],
    ['connectTo', 'a:1:b:2,a:x:b:2', /a:x:b:2/],
    ['logLevel', 'INFO', /error.*debug/],
    ['holmesgptVersion', '0.1', /not supported.*0\.20/],
    ['holmesgptVersion', 'v0.19.3', /not supported/],
    ['allowedHosts', 'http://x', /without scheme, port and path/],
    ['allowedHosts', 'api.example.com,x:80', /without scheme, port and path/],
    ['allowedHosts', 'example.com.', /\*\.example\.com/],
    ['allowedHosts', 'a/b', /without scheme, port and path/],
    ['leaseName', 'A B', /lowercase letters, digits/],
    ['clusterDomain', 'x y', /such as cluster\.local/],
    ['connectTo', 'http//a:1:b:2', /HOST:PORT/],
    ['apiAddress', 'http//a:80', /HOST:PORT/],
    ['tlsCertFile', ' ', /not a path/],
    ['logFormat', 'xml', /json.*pretty/],
  ];

  test.each(wrong)('%s=%j is rejected, naming its flag', (name, text, what) => {
    const lines = failure({ [name]: text });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`${SETTINGS[name].flag}=${JSON.stringify(text)}`);
    expect(lines[0]).toMatch(what);
    expect(lines[0]).not.toContain(SETTINGS[name].env);
  });

  test.each(wrong)('%s=%j is rejected, naming its variable', (name, text, what) => {
    const lines = failure({}, { [SETTINGS[name].env]: text });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`${SETTINGS[name].env}=${JSON.stringify(text)}`);
    expect(lines[0]).toMatch(what);
  });

  test.each<[SettingName, string]>([
    ['configMapName', 'a'.repeat(254)],
    ['clusterDomain', `${'a.'.repeat(126)}aa`],
    ['holmesgptDeployment', `a/${'b'.repeat(254)}`],
  ])('%s is rejected if it is longer than Kubernetes allows', (name, text) => {
    expect(failure({ [name]: text })).toHaveLength(1);
    expect(() => readSettings({ [name]: text.slice(0, -1) }, {})).not.toThrow();
  });

  test('an invalid setting of a file is named by the file and its own name', () => {
    let message = '';
    try {
      readSettings({}, {}, layer('deploy/config.yaml', { logLevel: 'loud' }));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('deploy/config.yaml');
    expect(message).toContain('logLevel');
    expect(message).toContain('"loud"');
  });

  test('all invalid settings are reported at once, each with its source', () => {
    const lines = failure(
      { logLevel: 'loud', namespaces: 'Not_One' },
      {
        LOG_LEVEL: 'silent',
        PROBE_CONCURRENCY: 'many',
        DISCOVERY_INTERVAL: '5m',
        HEALTH_CHECK_TIMEOUT: 'soon',
      },
    );
    expect(lines.map((line) => line.split('=')[0]).sort()).toEqual([
      '--log-level',
      '--namespace',
      'HEALTH_CHECK_TIMEOUT',
      'PROBE_CONCURRENCY',
    ]);
  });
});

test('a setting is shown with its source, and without the password of a URL', () => {
  const given = givenSettings({}, { HOLMESGPT_URL: 'https://me:hunter2@holmes:8080' });
  expect(shownSetting('holmesgptUrl', given.holmesgptUrl)).toBe(
    'holmesgptUrl: "https://***@holmes:8080" (HOLMESGPT_URL)',
  );
  expect(shownSetting('logLevel', given.logLevel)).toBe('logLevel: unset, so its default applies');
});
