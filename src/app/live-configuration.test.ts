import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { ConfigDataEvent } from '../kubernetes/stored-settings.ts';
import { ConfigError, UserError } from '../model/errors.ts';
import { type Configuration, type ConfigurationSources, readConfiguration } from './configuration.ts';
import { type Inputs, LiveConfiguration, type ProblemReporter, type Reload } from './live-configuration.ts';
import { rulesOf } from './pipeline.ts';

const CLUSTER = { server: 'the server' } as KubeClient;
const DENIED: ConfigDataEvent = { kind: 'denied', error: new Error('no rights') };
const FAILURE: ConfigDataEvent = { kind: 'failure', error: new Error('away'), retryIn: 2_000 };
const data = (texts: Record<string, string>): ConfigDataEvent => ({ kind: 'data', data: texts });

let stop: AbortController;
beforeAll(async () => {
  // The built-in detectors are read once.
  rulesOf(await readConfiguration({ texts: {}, env: {}, file: undefined, detectorFolders: [] }));
});
beforeEach(() => {
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
});

/** A configuration whose environment is `env`, which a test may change. Its ConfigMap holds what `emit` says. */
async function setting(options: { env?: Record<string, string>; kube?: KubeClient; folder?: string } = {}) {
  const env = options.env ?? {};
  const sources: ConfigurationSources = {
    texts: {},
    env,
    file: undefined,
    detectorFolders: options.folder === undefined ? [] : [options.folder],
  };
  const first = await readConfiguration(sources);
  const problems: [what: string, more: number | 'ended' | undefined][] = [];
  const watchFiles = vi.fn<Inputs['watchFiles']>();
  const readConfigData = vi.fn();
  let emit = (_: ConfigDataEvent): void => {};
  const watchConfigData = vi.fn((_kube, _namespace, _name, tell) => {
    emit = tell;
    return new Promise<void>(() => {});
  });
  const inputs: Inputs = { watchFiles, storedSettings: async () => ({ readConfigData, watchConfigData }) };
  const note: ProblemReporter = ({ what }, { retryIn, hasEnded } = {}) =>
    void problems.push([what, hasEnded === true ? 'ended' : retryIn]);
  const live = new LiveConfiguration(sources, first, options.kube, note, inputs);
  const applied: Configuration[] = [];
  const told: Reload[] = [];
  const apply = vi.fn(async (next: Configuration): Promise<void> => {
    applied.push(next);
  });
  return {
    live,
    env,
    sources,
    inputs,
    watchFiles,
    readConfigData,
    watchConfigData,
    first,
    problems,
    applied,
    apply,
    /** The results of changes, in the order in which they are reported. */
    told,
    kinds: () => told.map(({ kind }) => kind),
    emit: (event: ConfigDataEvent) => emit(event),
    /** Opens it, with what the ConfigMap holds. */
    async open(event?: ConfigDataEvent): Promise<void> {
      const opened = live.open(stop.signal);
      if (event !== undefined) {
        await vi.waitFor(() => expect(watchConfigData).toHaveBeenCalled());
        emit(event);
      }
      await opened;
    },
    async follow(): Promise<void> {
      live.follow(apply, (result) => told.push(result), stop.signal);
      await live.reload();
    },
  };
}

/** An error of the sort that a person can fix. */
const messageOf = (result: Reload | undefined): string =>
  result?.kind === 'refused' ? result.error.message : `${result?.kind}`;

describe('opening', () => {
  test('without a cluster it is the current content of its sources', async () => {
    const { live, env, open, watchConfigData } = await setting();
    env.LOG_LEVEL = 'debug';
    await open();
    expect(live.current.logLevel).toBe('debug');
    expect(watchConfigData).not.toHaveBeenCalled();
  });

  test('with a cluster, the ConfigMap that the first configuration names is a source too', async () => {
    const { live, first, open, watchConfigData } = await setting({
      kube: CLUSTER,
      env: { SETTINGS_CONFIGMAP: 'mine' },
    });
    await open(data({ 'discovery-interval': '7m' }));
    expect(live.current.discoveryInterval).toBe(7 * 60_000);
    expect(live.current.given.discoveryInterval?.origin).toContain('ConfigMap kubernaut-system/mine');
    expect(watchConfigData).toHaveBeenCalledWith(
      CLUSTER,
      first.configMapNamespace,
      'mine',
      expect.any(Function),
      stop.signal,
    );
  });

  test('it waits until the ConfigMap can be read, and reports that', async () => {
    const { live, emit, problems, watchConfigData } = await setting({ kube: CLUSTER });
    let isOpen = false;
    const opened = live.open(stop.signal).then(() => {
      isOpen = true;
    });
    await vi.waitFor(() => expect(watchConfigData).toHaveBeenCalled());
    emit(FAILURE);
    await new Promise(setImmediate);
    expect(isOpen).toBe(false);
    expect(problems).toEqual([['startup waits until its settings can be read: away', 2_000]]);
    emit(data({ 'log-level': 'debug' }));
    await opened;
    expect(live.current.logLevel).toBe('debug');
  });

  test('a failure later does not speak of the start, also without a ConfigMap', async () => {
    const { emit, open, problems } = await setting({ kube: CLUSTER });
    await open({ kind: 'absent' });
    emit(FAILURE);
    expect(problems.at(-1)?.[0]).toBe('if it was created meanwhile, its settings do not count yet: away');
    emit(data({ 'log-level': 'debug' }));
    emit(FAILURE);
    expect(problems.at(-1)?.[0]).toBe('its last known content stays in use: away');
  });

  test('a ConfigMap that may not be read counts as empty, and is reported once', async () => {
    const { live, emit, open, problems } = await setting({ kube: CLUSTER });
    await open(DENIED);
    emit(DENIED);
    expect(live.current.logLevel).toBe('info');
    expect(problems).toEqual([['its settings cannot be used: no rights', undefined]]);
  });

  test.each([
    ['that a person named is reported', { SETTINGS_CONFIGMAP: 'mine' }, 1],
    ['of the default name is not', {}, 0],
  ])('a missing ConfigMap counts as empty; one %s', async (_, env, reports) => {
    const { live, open, problems } = await setting({ kube: CLUSTER, env });
    await open({ kind: 'absent' });
    expect(live.current.logLevel).toBe('info');
    expect(problems).toEqual(Array(reports).fill([expect.stringMatching(/^is not there: /), undefined]));
  });

  test('an invalid ConfigMap is an error', async () => {
    const { open } = await setting({ kube: CLUSTER });
    await expect(open(data({ 'log-levle': 'debug' }))).rejects.toThrow('log-level');
  });

  test.each(['before', 'while it waits'])(
    'the signal is aborted %s: it ends with its current content',
    async (when) => {
      const { live, first, watchConfigData } = await setting({ kube: CLUSTER });
      if (when === 'before') stop.abort();
      const opened = live.open(stop.signal);
      if (when !== 'before') await vi.waitFor(() => expect(watchConfigData).toHaveBeenCalled());
      stop.abort();
      await opened;
      expect(live.current).toBe(first);
    },
  );

  test('an aborted signal reads nothing, not even a configuration that became invalid', async () => {
    const { live, env } = await setting({ kube: CLUSTER });
    env.LOG_LEVEL = 'loud';
    stop.abort();
    await live.open(stop.signal);
  });
});

describe('opening once', () => {
  test('without a cluster it is the current content of its sources', async () => {
    const { live, env } = await setting();
    env.LOG_LEVEL = 'debug';
    await live.openOnce(stop.signal);
    expect(live.current.logLevel).toBe('debug');
  });

  test('it reads the ConfigMap, and does not watch it', async () => {
    const { live, readConfigData, watchConfigData } = await setting({ kube: CLUSTER });
    readConfigData.mockResolvedValue(data({ 'log-level': 'debug' }));
    await live.openOnce(stop.signal);
    expect(live.current.logLevel).toBe('debug');
    expect(watchConfigData).not.toHaveBeenCalled();
  });

  test('a ConfigMap that may not be read counts as empty', async () => {
    const { live, problems, readConfigData } = await setting({ kube: CLUSTER });
    readConfigData.mockResolvedValue(DENIED);
    await live.openOnce(stop.signal);
    expect(live.current.logLevel).toBe('info');
    expect(problems).toHaveLength(1);
  });

  test('a cluster that does not respond is an error', async () => {
    const { live, readConfigData } = await setting({ kube: CLUSTER });
    readConfigData.mockResolvedValue(FAILURE);
    await expect(live.openOnce(stop.signal)).rejects.toThrow('away');
  });
});

describe('a change while it runs', () => {
  test('is applied, in force, and reported with its differences', async () => {
    const { live, env, open, follow, applied, told } = await setting();
    await open();
    await follow();
    env.DISCOVERY_INTERVAL = '7m';
    const result = await live.reload();
    expect(result).toEqual({ kind: 'applied', changes: ['discoveryInterval: "7m" (DISCOVERY_INTERVAL)'] });
    expect(told).toEqual([result]);
    expect(applied).toEqual([live.current]);
    expect(live.current.discoveryInterval).toBe(7 * 60_000);
    delete env.DISCOVERY_INTERVAL;
    expect(await live.reload()).toEqual({
      kind: 'applied',
      changes: ['discoveryInterval: unset, so its default applies'],
    });
  });

  test('before it is followed is applied as soon as it is', async () => {
    const { live, env, open, apply } = await setting();
    await open();
    env.LOG_LEVEL = 'debug';
    live.follow(apply, () => {}, stop.signal);
    await vi.waitFor(() => expect(apply).toHaveBeenCalledTimes(1));
  });

  test('without a difference is neither applied nor reported', async () => {
    const { live, open, follow, apply, told } = await setting();
    await open();
    await follow();
    expect(await live.reload()).toEqual({ kind: 'unchanged' });
    expect(apply).not.toHaveBeenCalled();
    expect(told).toEqual([]);
  });

  test('of a watched file triggers a reload', async () => {
    const { live, env, sources, apply, inputs, watchFiles } = await setting();
    const file = join(tmpdir(), 'no-such-file');
    const following = new LiveConfiguration(
      { ...sources, file, detectorFolders: ['detectors'] },
      live.current,
      undefined,
      () => {},
      inputs,
    );
    for (const [each, watched] of [
      [live, { files: [], folders: [] }],
      [following, { files: [file], folders: ['detectors'] }],
    ] as const) {
      each.follow(apply, () => {}, stop.signal);
      expect(watchFiles).toHaveBeenLastCalledWith(watched, expect.any(Function), stop.signal);
    }
    env.LOG_LEVEL = 'debug';
    watchFiles.mock.calls[0]?.[1]();
    await vi.waitFor(() => expect(live.current.logLevel).toBe('debug'));
  });

  test.each([
    ['detectors', { detectors: 'loki: {enabled: false}' }, 'options of detectors'],
    ['credentials', { credentials: 'monitoring/loki: {apiKey: LOKI_KEY}' }, 'credentials'],
    ['certificates', { certificates: 'loki: {caFile: /etc/ca.pem}' }, 'certificates'],
  ])('of the %s in the ConfigMap is one', async (_, texts, what) => {
    const { open, follow, emit, told } = await setting({ kube: CLUSTER });
    await open(data({}));
    await follow();
    emit(data(texts));
    await vi.waitFor(() => expect(told).toEqual([{ kind: 'applied', changes: [what] }]));
  });

  test('changes are applied one after the other, in their order', async () => {
    const { live, env, open, follow, apply } = await setting();
    await open();
    await follow();
    const order: string[] = [];
    const begun = Promise.withResolvers<void>();
    apply.mockImplementation(async ({ logLevel }) => {
      order.push(`begin ${logLevel}`);
      begun.resolve();
      await new Promise(setImmediate);
      order.push(`end ${logLevel}`);
      env.LOG_LEVEL = 'warn';
    });
    env.LOG_LEVEL = 'debug';
    const first = live.reload();
    await begun.promise;
    await Promise.all([first, live.reload()]);
    expect(order).toEqual(['begin debug', 'end debug', 'begin warn', 'end warn']);
  });

  test('of many reloads at once, those that wait share one, which sees the last change', async () => {
    const { live, env, open, follow, apply } = await setting();
    await open();
    await follow();
    const begun = Promise.withResolvers<void>();
    apply.mockImplementationOnce(() => begun.promise);
    env.LOG_LEVEL = 'debug';
    const first = live.reload();
    await vi.waitFor(() => expect(apply).toHaveBeenCalledTimes(1));
    const waiting = Array.from({ length: 100 }, () => live.reload());
    env.LOG_LEVEL = 'warn';
    begun.resolve();
    expect(new Set(waiting).size).toBe(1);
    expect(await first).toMatchObject({ kind: 'applied' });
    expect(await waiting[0]).toMatchObject({ kind: 'applied' });
    expect(apply).toHaveBeenCalledTimes(2);
    expect(live.current.logLevel).toBe('warn');
  });

  test('that the end of the program interrupts is not reported', async () => {
    const { live, env, sources, apply, inputs, told } = await setting();
    const ending = new LiveConfiguration(
      { ...sources, signal: stop.signal },
      live.current,
      undefined,
      () => {},
      inputs,
    );
    ending.follow(apply, (result) => told.push(result), stop.signal);
    await ending.reload();
    apply.mockImplementationOnce(async () => {
      stop.abort();
      stop.signal.throwIfAborted();
    });
    env.LOG_LEVEL = 'debug';
    expect(await ending.reload()).toEqual({ kind: 'unchanged' });
    expect(told).toEqual([]);
  });

  test('is in force even if nothing applies it yet', async () => {
    const { live, env, open } = await setting();
    await open();
    env.LOG_LEVEL = 'debug';
    await live.reload();
    expect(live.current.logLevel).toBe('debug');
  });
});

describe('an invalid change', () => {
  test('is refused: the previous configuration stays, and each error is reported once', async () => {
    const { live, env, open, follow, apply, told } = await setting();
    await open();
    await follow();
    const { current } = live;
    env.LOG_LEVEL = 'loud';
    expect((await live.reload()).kind).toBe('refused');
    await live.reload();
    expect(live.current).toBe(current);
    expect(apply).not.toHaveBeenCalled();
    expect(told.map(messageOf)).toEqual([expect.stringContaining('LOG_LEVEL="loud"')]);
    env.LOG_LEVEL = 'louder';
    await live.reload();
    expect(told.map(messageOf)).toEqual([
      expect.stringContaining('LOG_LEVEL="loud"'),
      expect.stringContaining('LOG_LEVEL="louder"'),
    ]);
  });

  test.each([
    ['it is reverted', 'info', ['refused', 'unchanged']],
    ['it is mended', 'debug', ['refused', 'applied']],
  ])('%s: that is reported once, and the same fault later again', async (_, level, expected) => {
    const { live, env, open, follow, kinds } = await setting({ env: { LOG_LEVEL: 'info' } });
    await open();
    await follow();
    env.LOG_LEVEL = 'loud';
    await live.reload();
    env.LOG_LEVEL = level;
    await live.reload();
    await live.reload();
    expect(kinds()).toEqual(expected);
    env.LOG_LEVEL = 'loud';
    await live.reload();
    expect(kinds()).toEqual([...expected, 'refused']);
  });

  test('a change that fails to apply is not the current one, and is retried', async () => {
    const { live, env, open, follow, apply, kinds } = await setting();
    await open();
    await follow();
    const { current } = live;
    apply.mockRejectedValueOnce(new ConfigError('the port is taken'));
    env.LOG_LEVEL = 'debug';
    expect(messageOf(await live.reload())).toBe('the port is taken');
    expect(live.current).toBe(current);
    await live.reload();
    expect(live.current.logLevel).toBe('debug');
    expect(kinds()).toEqual(['refused', 'applied']);
  });

  test('a bug is not reported as an invalid configuration', async () => {
    const { live, env, open, follow, apply } = await setting();
    await open();
    await follow();
    apply.mockRejectedValueOnce(new TypeError('a bug'));
    env.LOG_LEVEL = 'debug';
    await expect(live.reload()).rejects.toThrow('a bug');
  });

  test.each([
    ['CONFIGMAP_NAMESPACE', 'configMapNamespace'],
    ['SETTINGS_CONFIGMAP', 'settingsConfigMap'],
  ])('%s changes where settings are read, so it needs a restart', async (variable, name) => {
    const { live, env, open, follow } = await setting();
    await open();
    await follow();
    env[variable] = 'elsewhere';
    const result = await live.reload();
    expect(messageOf(result)).toMatch(new RegExp(`^${variable}: ${name} .*restart to use "elsewhere"$`));
    // The published ConfigMap may have another name at any time.
    delete env[variable];
    env.CONFIGMAP_NAME = 'elsewhere';
    expect((await live.reload()).kind).toBe('applied');
  });
});

describe('custom detectors', () => {
  const GOOD =
    'type: good\ntitle: Good\ndescription: Good things.\nnames: [good]\nports: {numbers: [1234], names: [http]}\n';
  /** It has one fault. */
  const BROKEN = `${GOOD}nonsense: 1\n`;

  async function withFolder() {
    const folder = await mkdtemp(join(tmpdir(), 'detectors-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    return { folder, write: (name: string, text: string) => writeFile(join(folder, name), text) };
  }

  test('a detector that breaks at runtime is rejected, with its file; once fixed, it is in force', async () => {
    const { folder, write } = await withFolder();
    const { live, open, follow } = await setting({ folder });
    await open();
    await follow();
    await write('a.yaml', BROKEN);
    expect(messageOf(await live.reload())).toContain('a.yaml:6:1');
    expect(live.current.userDetectors[0]?.problems).toEqual([]);
    await write('a.yaml', GOOD);
    expect(await live.reload()).toEqual({ kind: 'applied', changes: ['detectors of your own'] });
  });

  test('a detector that was broken at the start does not block other changes', async () => {
    const { folder, write } = await withFolder();
    await write('a.yaml', BROKEN);
    const { live, env, open, follow } = await setting({ folder });
    await open();
    await follow();
    env.LOG_LEVEL = 'debug';
    expect((await live.reload()).kind).toBe('applied');
    await write('b.yaml', BROKEN);
    const message = messageOf(await live.reload());
    expect(message).toContain('b.yaml');
    expect(message).not.toContain('a.yaml');
  });
});

describe('the ConfigMap while it runs', () => {
  test('its changes are applied automatically', async () => {
    const { live, open, follow, emit, kinds } = await setting({ kube: CLUSTER });
    await open(data({}));
    await follow();
    emit(data({ 'log-level': 'debug' }));
    await vi.waitFor(() => expect(live.current.logLevel).toBe('debug'));
    emit(data({}));
    await vi.waitFor(() => expect(live.current.logLevel).toBe('info'));
    expect(kinds()).toEqual(['applied', 'applied']);
  });

  test.each([
    ['that was read', data({ 'log-level': 'debug' }), 'debug'],
    ['that may not be read', DENIED, 'info'],
  ])('one %s does not respond: its known content stays in use', async (_, event, level) => {
    const { live, open, follow, emit, problems } = await setting({ kube: CLUSTER });
    await open(event);
    await follow();
    problems.length = 0;
    emit(FAILURE);
    emit(FAILURE);
    await live.reload();
    expect(live.current.logLevel).toBe(level);
    expect(problems).toEqual(Array(2).fill(['its last known content stays in use: away', 2_000]));
  });

  test('lost permissions keep the last content, and each loss is reported', async () => {
    const { live, open, follow, emit, problems } = await setting({ kube: CLUSTER });
    await open(data({ 'log-level': 'debug' }));
    await follow();
    for (const event of [DENIED, DENIED, data({ 'log-level': 'debug' }), DENIED]) emit(event);
    await live.reload();
    expect(live.current.logLevel).toBe('debug');
    expect(problems.map(([, more]) => more)).toEqual([undefined, 'ended', undefined]);
  });

  test('if it is deleted, its last settings stay, which is reported, until it is created again', async () => {
    const { live, open, follow, emit, kinds, problems } = await setting({ kube: CLUSTER });
    await open(data({ 'log-level': 'debug', 'mcp-policy': 'off' }));
    await follow();
    emit({ kind: 'absent' });
    await live.reload();
    expect(live.current).toMatchObject({ logLevel: 'debug', mcpPolicy: 'off' });
    expect(problems).toEqual([
      [expect.stringMatching(/^was deleted: its last settings stay in force/), undefined],
    ]);
    for (const _ of [1, 2]) emit(data({ 'mcp-policy': 'off' }));
    await vi.waitFor(() => expect(live.current.logLevel).toBe('info'));
    expect(live.current.mcpPolicy).toBe('off');
    expect(kinds()).toEqual(['applied']);
    expect(problems.slice(1)).toEqual([[problems[0]?.[0], 'ended']]);
  });

  test('nothing of it is applied before it is followed', async () => {
    const { live, open, emit } = await setting({ kube: CLUSTER });
    await open(data({}));
    const { current } = live;
    emit(data({ 'log-level': 'debug' }));
    await new Promise(setImmediate);
    expect(live.current).toBe(current);
  });
});

test('a refusal is an error that the user can fix', async () => {
  const { live, env, open } = await setting();
  await open();
  env.LOG_LEVEL = 'loud';
  const result = await live.reload();
  expect(result.kind === 'refused' && result.error).toBeInstanceOf(UserError);
});

test('a refused change is tried again, since what it failed on may pass, and each error is reported once', async () => {
  const { live, env, apply, applied, kinds, follow } = await setting();
  await live.open(stop.signal);
  await follow();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const refusal = new ConfigError('cannot listen on 127.0.0.1:1: EADDRINUSE');
  apply.mockRejectedValueOnce(refusal).mockRejectedValueOnce(refusal);
  env.LOG_LEVEL = 'debug';
  await live.reload();
  expect([kinds(), vi.getTimerCount()]).toEqual([['refused'], 1]);
  await vi.advanceTimersByTimeAsync(5_000);
  await live.reload();
  expect(kinds()).toEqual(['refused', 'applied']);
  expect([applied.length, vi.getTimerCount()]).toEqual([1, 0]);
});

test('at shutdown, a refused change is not tried again', async () => {
  const { live, env, apply, follow } = await setting();
  await live.open(stop.signal);
  await follow();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  apply.mockRejectedValue(new ConfigError('no'));
  env.LOG_LEVEL = 'debug';
  await live.reload();
  stop.abort();
  expect(vi.getTimerCount()).toBe(0);
});
