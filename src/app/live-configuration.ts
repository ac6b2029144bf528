import { isDeepStrictEqual } from 'node:util';
import { readConfigData } from '../config/config-map.ts';
import type { ConfigLayer } from '../config/file.ts';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { shownSetting } from '../config/settings.ts';
import { watchFiles } from '../files/watch-files.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { ConfigData, ConfigDataEvent } from '../kubernetes/stored-settings.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError, UserError } from '../model/errors.ts';
import { type Configuration, type ConfigurationSources, readConfiguration } from './configuration.ts';
import { rulesOf } from './pipeline.ts';

/** What came of a changed configuration. */
export type Reload =
  | { readonly kind: 'unchanged' }
  /** It is in force. `changes` says what is other than before. */
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  /** It is kept out, and the one before stays in force. */
  | { readonly kind: 'refused'; readonly error: UserError };

/** Told what a person should know; with the milliseconds until the next try where there is one. */
export type ProblemReporter = (problem: Problem, retryIn?: number) => void;

/** What is other than before, for messages; empty if nothing is. */
function configurationChanges(before: Configuration, after: Configuration): string[] {
  const changes = SETTING_NAMES.filter((name) => before.given[name]?.text !== after.given[name]?.text).map(
    (name) => shownSetting(name, after.given[name]),
  );
  const parts = {
    detectors: 'options of detectors',
    credentials: 'credentials',
    userDetectors: 'detectors of your own',
  };
  for (const part of Object.keys(parts) as (keyof typeof parts)[])
    if (!isDeepStrictEqual(before[part], after[part])) changes.push(parts[part]);
  return changes;
}

/** What is wrong with the detectors of a configuration; a start skips these, and a change with a new one is refused. */
const detectorProblems = (configuration: Configuration): string[] =>
  rulesOf(configuration).problems.map(({ where, what }) => `${where}: ${what}`);

/** The configuration of `serve` from all its sources, kept in step with the ConfigMap and the files among them. */
export class LiveConfiguration {
  readonly #sources: ConfigurationSources;
  readonly #kube: KubeClient | undefined;
  readonly #reportProblem: ProblemReporter;
  #data: ConfigData | undefined;
  #current: Configuration;
  #apply: ((next: Configuration) => Promise<void>) | undefined;
  #onReload: (result: Reload) => void = () => {};
  /** What was wrong when it was last looked at, so that it is told once. */
  #refused: string | undefined;
  #denied = false;
  /** Looks come one after the other. */
  #pendingReload: Promise<unknown> = Promise.resolve();

  /**
   * @param first what the sources come to without the ConfigMap: they say where that is
   * @param note told what a person should know about reading it
   */
  constructor(
    sources: ConfigurationSources,
    first: Configuration,
    kube: KubeClient | undefined,
    note: ProblemReporter,
  ) {
    this.#sources = sources;
    this.#current = first;
    this.#kube = kube;
    this.#reportProblem = note;
  }

  /** The configuration in force. */
  get current(): Configuration {
    return this.#current;
  }

  /**
   * Begins, and keeps looking until the signal is aborted.
   * @returns once the ConfigMap was read, or is known not to be readable; or the signal is aborted
   * @throws UserError when what it holds cannot be used
   */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#kube !== undefined) {
      const { watchConfigData } = await import('../kubernetes/stored-settings.ts');
      const { settingsConfigMap, configMapNamespace } = this.#current;
      const answered = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => answered.resolve(), { once: true });
      // It rejects for a bug only, and that ends the process.
      void watchConfigData(
        this.#kube,
        configMapNamespace,
        settingsConfigMap,
        (told) => {
          if (this.#applyEvent(told)) answered.resolve();
        },
        signal,
      );
      await answered.promise;
      if (signal.aborted) return;
    }
    this.#current = await this.#read();
  }

  /** Reads the ConfigMap once. @throws UserError when it cannot be read, or what it holds cannot be used */
  async openOnce(signal: AbortSignal): Promise<void> {
    if (this.#kube !== undefined) {
      const { readConfigData } = await import('../kubernetes/stored-settings.ts');
      const { settingsConfigMap, configMapNamespace } = this.#current;
      const told = await readConfigData(this.#kube, configMapNamespace, settingsConfigMap, signal);
      if (told.kind === 'failure') throw told.error;
      this.#applyEvent(told);
    }
    this.#current = await this.#read();
  }

  /**
   * Has what changes from now on applied.
   * @param apply brings a configuration into force; throws UserError where that cannot be
   * @param tell hears what came of each change, once
   */
  follow(
    apply: (next: Configuration) => Promise<void>,
    tell: (result: Reload) => void,
    signal: AbortSignal,
  ): void {
    this.#apply = apply;
    this.#onReload = tell;
    const { file, detectorFolders } = this.#sources;
    const look = (): void => void this.reload();
    watchFiles({ files: file === undefined ? [] : [file], folders: detectorFolders }, look, signal);
    // What changed while the parts were put together.
    look();
  }

  /** Looks at all sources now. @returns what came of it */
  reload(): Promise<Reload> {
    const result = this.#pendingReload.then(() => this.#reload());
    this.#pendingReload = result;
    return result;
  }

  /** For messages: the ConfigMap with settings. */
  get #where(): string {
    const { settingsConfigMap: name, configMapNamespace: namespace } = this.#current;
    return `ConfigMap ${namespace}/${name}`;
  }

  /** @returns whether it is known now what the ConfigMap configures */
  #applyEvent(told: ConfigDataEvent): boolean {
    switch (told.kind) {
      case 'data':
        this.#data = told.data;
        this.#denied = false;
        if (this.#apply !== undefined) void this.reload();
        return true;
      case 'denied':
        if (!this.#denied)
          this.#reportProblem({
            where: this.#where,
            what: `its settings cannot be used: ${told.error.message}`,
            fix: 'ignore this if you do not use that ConfigMap',
          });
        this.#denied = true;
        return true;
      case 'failure':
        this.#reportProblem(
          {
            where: this.#where,
            what: `${this.#data === undefined && !this.#denied ? 'nothing begins before it is known what it configures' : 'its last known content stays in use'}: ${told.error.message}`,
          },
          told.retryIn,
        );
        return false;
    }
  }

  #read(): Promise<Configuration> {
    const layer: ConfigLayer | undefined =
      this.#data === undefined ? undefined : readConfigData(this.#data, this.#where);
    return readConfiguration(this.#sources, layer);
  }

  async #reload(): Promise<Reload> {
    const result = await this.#evaluate();
    const refused = result.kind === 'refused' ? result.error.message : undefined;
    const news =
      result.kind === 'refused'
        ? refused !== this.#refused
        : result.kind === 'applied' || this.#refused !== undefined;
    this.#refused = refused;
    if (news) this.#onReload(result);
    return result;
  }

  async #evaluate(): Promise<Reload> {
    try {
      const next = await this.#read();
      const changes = configurationChanges(this.#current, next);
      if (changes.length === 0) return { kind: 'unchanged' };
      this.#checkFixed(next);
      // A detector that cannot be read is passed over at a start; now its tools would be lost by a slip of the pen.
      const known = new Set(detectorProblems(this.#current));
      const broken = detectorProblems(next).filter((problem) => !known.has(problem));
      if (broken.length > 0) throw new ConfigError(broken.join('\n'));
      await this.#apply?.(next);
      this.#current = next;
      return { kind: 'applied', changes };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { kind: 'refused', error };
    }
  }

  /** @throws UserError where it says anew which ConfigMap is read: that is settled at the start */
  #checkFixed(next: Configuration): void {
    for (const name of SETTING_NAMES)
      if (SETTINGS[name].bootstrapOnly === true && next[name] !== this.#current[name])
        throw new ConfigError(
          `${next.given[name]?.origin ?? name}: ${name} decides where settings are read, so it cannot change while running; restart to use ${JSON.stringify(next[name])}`,
        );
  }
}
