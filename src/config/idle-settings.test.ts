import { expect, test } from 'vitest';
import { idleSettings } from './idle-settings.ts';
import type { SettingName } from './setting-table.ts';
import { readSettings } from './settings.ts';

const warnings = (texts: Partial<Record<SettingName, string>>): string[] =>
  idleSettings(
    readSettings(
      Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, { text, origin: name }])),
    ),
  );

test.each<[Partial<Record<SettingName, string>>, RegExp[]]>([
  [{}, []],
  [{ authorizationEnabled: 'true' }, []],
  [
    { authorizationEnabled: 'true', authEnabled: 'false' },
    [/^AUTHORIZATION_ENABLED .* no effect, because AUTH_ENABLED/],
  ],
  [{ authAudiences: 'a', authEnabled: 'false' }, [/^AUTH_AUDIENCES .* no effect/]],
  [{ shutdownDelay: '20s' }, [/^SHUTDOWN_DELAY .* not shorter than SHUTDOWN_TIMEOUT/]],
  [{ shutdownDelay: '19s' }, []],
  [{ holmesgptUrl: 'http://h' }, [/^HOLMESGPT_URL .* no effect, because HOLMESGPT_RELOAD .* is none;/]],
  [{ holmesgptDeployment: 'ai/holmes' }, [/^HOLMESGPT_DEPLOYMENT .* alone does nothing;/]],
])('%j', (texts, expected) => {
  expect(warnings(texts)).toEqual(expected.map((each) => expect.stringMatching(each)));
});
