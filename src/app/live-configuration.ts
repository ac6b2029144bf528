import { isDeepStrictEqual } from 'node:util';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { shownSetting } from '../config/settings.ts';
import { watchFiles } from '../files/watch-files.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { ConfigData, ConfigDataEvent } from '../kubernetes/stored-settings.ts';
import { type Backoff, backoff } from '../model/backoff.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError, UserError } from '../model/errors.ts';
import { type Configuration, type ConfigurationSources, readConfiguration } from './configuration.ts';
import { rulesOf } from './pipeline.ts';

/** The result of a reload. */
export type Reload =
  | { readonly kind: 'unchanged' }
  /** The new configuration is in force. */
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  /** The new configuration is invalid, and the previous one stays in force. */
  | { readonly kind: 'refused'; readonly error: UserError };

/** Reports a problem. `retryIn`: milliseconds until the next attempt, if there is one. */
export type ProblemReporter = (
  problem: Problem,
  /** `retryIn`: when it is tried again, in milliseconds; `hasEnded`: a problem that was reported is over. */
  more?: { readonly retryIn?: number; readonly hasEnded?: true },
) => void;

/** How the configuration reads and watches its sources. */
export interface Inputs {
  readonly watchFiles: typeof watchFiles;
  /** Loaded only where there is a cluster. */
  storedSettings(): Promise<
    Pick<typeof import('../kubernetes/stored-settings.ts'), 'readConfigData' | 'watchConfigData'>
  >;
}

const INPUTS: Inputs = { watchFiles, storedSettings: () => import('../kubernetes/stored-settings.ts') };

/** Describes the differences between two configurations. Empty if there are none. */
function configurationChanges(before: Configuration, after: Configuration): string[] {
  const changes = SETTING_NAMES.filter((name) => before.given[name]?.text !== after.given[name]?.text).map(
    (name) => shownSetting(name, after.given[name]),
  );
  const parts = {
    detectors: 'options of detectors',
    credentials: 'credentials',
    tenants: 'tenants',
    certificates: 'certificates',
    userDetectors: 'detectors of your own',
  };
  for (const part of Object.keys(parts) as (keyof typeof parts)[])
    if (!isDeepStrictEqual(before[part], after[part])) changes.push(parts[part]);
  return changes;
}

/** Faults of the configured detectors. At startup, faulty detectors are skipped. Later, a new fault rejects the change. */
const detectorProblems = (configuration: Configuration): string[] =>
  rulesOf(configuration).problems.map(({ where, what }) => `${where}: ${what}`);

/** Retries of a refused configuration. What it failed on may pass, such as a port in use. */
const RETRY: Backoff = { firstDelay: 5_000, maxDelay: 5 * 60_000 };

/** The configuration of `serve`. It follows changes of the settings ConfigMap and of the files. */
export class LiveConfiguration {
  readonly #sources: ConfigurationSources;
  readonly #kube: KubeClient | undefined;
  readonly #reportProblem: ProblemReporter;
  readonly #inputs: Inputs;
  #data: ConfigData | undefined;
  #current: Configuration;
  #apply: ((next: Configuration) => Promise<void>) | undefined;
  #onReload: (result: Reload) => void = () => {};
  /** The last reported error, so that each error is reported once. */
  #refused: string | undefined;
  /** Number of times in a row that this error refused a change. */
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #denied = false;
  #isAbsent = false;
  /** The reported reason why the settings ConfigMap is not read now, which ends once it is. */
  #unread: Problem | undefined;
  /** Serializes reloads. */
  #pendingReload: Promise<unknown> = Promise.resolve();
  /** The reload that has not begun to read yet. */
  #nextReload: Promise<Reload> | undefined;

  /**
   * @param first the configuration without the settings ConfigMap. It says where that ConfigMap is.
   * @param reportProblem receives problems with reading the ConfigMap
   */
  constructor(
    sources: ConfigurationSources,
    first: Configuration,
    kube: KubeClient | undefined,
    reportProblem: ProblemReporter,
    inputs: Inputs = INPUTS,
  ) {
    this.#sources = sources;
    this.#current = first;
    this.#kube = kube;
    this.#reportProblem = reportProblem;
    this.#inputs = inputs;
  }

  /** The configuration in force. */
  get current(): Configuration {
    return this.#current;
  }

  /**
   * Reads the configuration, and watches the ConfigMap until the signal is aborted.
   * @returns once the ConfigMap was read or reading it was denied, or the signal is aborted
   * @throws UserError if its content is invalid
   */
  async open(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (this.#kube !== undefined) {
      const { watchConfigData } = await this.#inputs.storedSettings();
      const { settingsConfigMap, configMapNamespace } = this.#current;
      const answered = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => answered.resolve(), { once: true });
      // Rejects only because of a bug, which ends the process.
      void watchConfigData(
        this.#kube,
        configMapNamespace,
        settingsConfigMap,
        (event) => {
          if (this.#applyEvent(event)) answered.resolve();
        },
        signal,
      );
      await answered.promise;
      if (signal.aborted) return;
    }
    this.#current = await this.#read();
  }

  /** Reads the configuration once. @throws UserError if the ConfigMap cannot be read, or its content is invalid */
  async openOnce(signal: AbortSignal): Promise<void> {
    if (this.#kube !== undefined) {
      const { readConfigData } = await this.#inputs.storedSettings();
      const { settingsConfigMap, configMapNamespace } = this.#current;
      const event = await readConfigData(this.#kube, configMapNamespace, settingsConfigMap, signal);
      if (event.kind === 'failure') throw event.error;
      this.#applyEvent(event);
    }
    this.#current = await this.#read();
  }

  /**
   * Applies all changes from now on.
   * @param apply applies a configuration; throws UserError if it is unusable
   * @param onReload receives the result of each change, once
   */
  follow(
    apply: (next: Configuration) => Promise<void>,
    onReload: (result: Reload) => void,
    signal: AbortSignal,
  ): void {
    this.#apply = apply;
    this.#onReload = onReload;
    const { file, detectorFolders } = this.#sources;
    const reload = (): void => void this.reload();
    signal.addEventListener('abort', () => clearTimeout(this.#retry), { once: true });
    this.#inputs.watchFiles(
      { files: file === undefined ? [] : [file], folders: detectorFolders },
      reload,
      signal,
    );
    // Catch changes that happened during startup.
    reload();
  }

  /** Reads all sources again now. Calls that come before it begins to read share one reload. */
  reload(): Promise<Reload> {
    if (this.#nextReload !== undefined) return this.#nextReload;
    const result = this.#pendingReload.then(() => {
      this.#nextReload = undefined;
      return this.#reload();
    });
    this.#nextReload = result;
    this.#pendingReload = result;
    return result;
  }

  /** The settings ConfigMap, for messages. */
  get #where(): string {
    const { settingsConfigMap: name, configMapNamespace: namespace } = this.#current;
    return `ConfigMap ${namespace}/${name}`;
  }

  /** What follows if the ConfigMap cannot be read. */
  get #whileUnread(): string {
    if (this.#data !== undefined || this.#denied) return 'its last known content stays in use';
    return this.#isAbsent
      ? 'if it was created meanwhile, its settings do not count yet'
      : 'startup waits until its settings can be read';
  }

  /** @returns whether the state of the ConfigMap is known now */
  #applyEvent(event: ConfigDataEvent): boolean {
    switch (event.kind) {
      case 'data':
        this.#data = event.data;
        this.#denied = false;
        this.#isAbsent = false;
        if (this.#unread !== undefined) this.#reportProblem(this.#unread, { hasEnded: true });
        this.#unread = undefined;
        if (this.#apply !== undefined) void this.reload();
        return true;
      case 'absent':
        this.#denied = false;
        this.#isAbsent = true;
        this.#reportAbsence();
        return true;
      case 'denied':
        if (!this.#denied)
          this.#reportUnread(
            `its settings cannot be used: ${event.error.message}`,
            'ignore this if you do not use that ConfigMap',
          );
        this.#denied = true;
        return true;
      case 'failure':
        this.#reportProblem(
          {
            where: this.#where,
            what: `${this.#whileUnread}: ${event.error.message}`,
          },
          { retryIn: event.retryIn },
        );
        return false;
    }
  }

  /**
   * Reports that the ConfigMap is not there. While the program runs, its last settings stay in force: some of them protect,
   * and a tool that replaces the ConfigMap may delete it first.
   */
  #reportAbsence(): void {
    if (this.#data !== undefined)
      this.#reportUnread(
        'was deleted: its last settings stay in force until it is created again, or the program restarts',
        'create it again, without keys to return to the defaults',
      );
    else if (this.#current.given.settingsConfigMap !== undefined)
      this.#reportUnread(
        'is not there: the settings of the Pod apply, and otherwise the defaults',
        'create it, or correct SETTINGS_CONFIGMAP',
      );
  }

  #reportUnread(what: string, fix: string): void {
    this.#unread = { where: this.#where, what, fix };
    this.#reportProblem(this.#unread);
  }

  #read(): Promise<Configuration> {
    const stored = this.#data === undefined ? undefined : { data: this.#data, where: this.#where };
    return readConfiguration(this.#sources, stored);
  }

  async #reload(): Promise<Reload> {
    const result = await this.#evaluate();
    const refused = result.kind === 'refused' ? result.error.message : undefined;
    const news =
      result.kind === 'refused'
        ? refused !== this.#refused
        : result.kind === 'applied' || this.#refused !== undefined;
    this.#failures = refused !== undefined && refused === this.#refused ? this.#failures + 1 : 1;
    this.#refused = refused;
    clearTimeout(this.#retry);
    if (refused !== undefined && this.#apply !== undefined)
      this.#retry = setTimeout(() => void this.reload(), backoff(this.#failures, RETRY, Math.random)).unref();
    if (news) this.#onReload(result);
    return result;
  }

  async #evaluate(): Promise<Reload> {
    try {
      const next = await this.#read();
      const changes = configurationChanges(this.#current, next);
      if (changes.length === 0) return { kind: 'unchanged' };
      this.#checkFixed(next);
      // Startup skips an invalid detector. A change is rejected instead, because a typo would remove published tools.
      const known = new Set(detectorProblems(this.#current));
      const broken = detectorProblems(next).filter((problem) => !known.has(problem));
      if (broken.length > 0) throw new ConfigError(broken.join('\n'));
      await this.#apply?.(next);
      this.#current = next;
      return { kind: 'applied', changes };
    } catch (error) {
      if (this.#sources.signal?.aborted) return { kind: 'unchanged' };
      if (!(error instanceof UserError)) throw error;
      return { kind: 'refused', error };
    }
  }

  /** @throws UserError if a setting changes that is read only at startup, such as the name of the settings ConfigMap */
  #checkFixed(next: Configuration): void {
    for (const name of SETTING_NAMES)
      if (SETTINGS[name].bootstrapOnly === true && next[name] !== this.#current[name])
        throw new ConfigError(
          `${next.given[name]?.origin ?? name}: ${name} decides where settings are read, so it cannot change while running; restart to use ${JSON.stringify(next[name])}`,
        );
  }
}
