import { unusedHolmesgptSettings } from './holmesgpt.ts';
import { SETTINGS, type SettingName, type Settings } from './setting-table.ts';

const both = (name: SettingName): string => `${SETTINGS[name].env} (${SETTINGS[name].flag})`;

/** Warnings about settings that have no effect because of another one. */
export function idleSettings(settings: Settings): string[] {
  const { authEnabled, authAudiences, authorizationEnabled, shutdownDelay, shutdownTimeout } = settings;
  const warnings = unusedHolmesgptSettings(settings);
  const noAuthentication = `has no effect, because ${both('authEnabled')} is false: everyone is served without a token`;
  if (authorizationEnabled && !authEnabled)
    warnings.push(`${both('authorizationEnabled')} ${noAuthentication}`);
  if (authAudiences.length > 0 && !authEnabled) warnings.push(`${both('authAudiences')} ${noAuthentication}`);
  if (shutdownDelay >= shutdownTimeout)
    warnings.push(
      `${both('shutdownDelay')} is not shorter than ${both('shutdownTimeout')}, which includes it, so open requests are cut off; raise the timeout`,
    );
  return warnings;
}
