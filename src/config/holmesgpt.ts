import { ConfigError } from '../model/errors.ts';
import { SETTINGS, type SettingName, type Settings } from './setting-table.ts';

interface Deployment {
  readonly namespace: string;
  readonly name: string;
}

/** What `serve` does for HolmesGPT in addition to publishing. */
export interface HolmesgptPlan {
  /** The Deployment whose ConfigMap is written; `undefined`: HolmesGPT mounts the published ConfigMap. */
  readonly writeFor: Deployment | undefined;
  readonly reload:
    | undefined
    | { readonly how: 'restart'; readonly deployment: Deployment }
    | { readonly how: 'endpoint'; readonly url: URL; readonly apiKey: string | undefined };
  /** Minimum time between two reloads, in milliseconds. */
  readonly reloadInterval: number;
}

const both = (name: SettingName): string => `${SETTINGS[name].env} (${SETTINGS[name].flag})`;

/** Printable ASCII, which a header can contain. */
const HEADER = /^[\x21-\x7e]+$/;

/**
 * Warns about a Deployment or URL that no other setting uses. It is not an error, because it remains when an operator turns
 * off writing to HolmesGPT's ConfigMap, or changes how HolmesGPT reloads, and that change must take effect.
 */
export function unusedHolmesgptSettings(settings: Settings): string[] {
  const { holmesgptDeployment: deployment, holmesgptConfigMap: write, holmesgptUrl: url } = settings;
  const { holmesgptReload: how } = settings;
  const warnings: string[] = [];
  if (deployment !== undefined && !write && how !== 'restart')
    warnings.push(
      `${both('holmesgptDeployment')} alone does nothing; set ${both('holmesgptConfigMap')} or ${both('holmesgptReload')}=restart, or unset it`,
    );
  if (url !== undefined && how !== 'endpoint')
    warnings.push(
      `${both('holmesgptUrl')} has no effect, because ${both('holmesgptReload')} is ${how}; set that to endpoint, or unset the URL`,
    );
  return warnings;
}

/**
 * Reads the plan from the settings.
 * @param apiKey text of the environment variable `HOLMESGPT_API_KEY`
 * @returns `undefined` if they configure nothing
 * @throws UserError for settings that contradict each other, with the fix
 */
export function holmesgptPlan(settings: Settings, apiKey: string | undefined): HolmesgptPlan | undefined {
  const { holmesgptDeployment: deployment, holmesgptConfigMap: write, holmesgptUrl: url } = settings;
  const { holmesgptReload: how, holmesgptReloadInterval: reloadInterval } = settings;
  const wrong: string[] = [];
  if (write && deployment === undefined)
    wrong.push(
      `${both('holmesgptConfigMap')} needs HolmesGPT's Deployment; set ${both('holmesgptDeployment')}`,
    );
  if (how === 'restart' && deployment === undefined)
    wrong.push(
      `${both('holmesgptReload')}=restart needs HolmesGPT's Deployment; set ${both('holmesgptDeployment')}`,
    );
  if (how === 'endpoint' && url === undefined)
    wrong.push(`${both('holmesgptReload')}=endpoint needs HolmesGPT's URL; set ${both('holmesgptUrl')}`);
  const key = apiKey === '' ? undefined : apiKey;
  if (how === 'endpoint' && key !== undefined && !HEADER.test(key))
    wrong.push('HOLMESGPT_API_KEY holds a space, a line break or another character that no header takes');
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  const writeFor = write ? deployment : undefined;
  if (how === 'restart' && deployment !== undefined)
    return { writeFor, reload: { how, deployment }, reloadInterval };
  if (how === 'endpoint' && url !== undefined)
    return { writeFor, reload: { how, url, apiKey: key }, reloadInterval };
  return writeFor === undefined ? undefined : { writeFor, reload: undefined, reloadInterval };
}
