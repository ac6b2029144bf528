import * as z from 'zod';
import { builtInDetectors } from '../config/detector-files.ts';
import { unknownType } from '../config/detector-types.ts';
import { configFileSchema, settingTexts } from '../config/file.ts';
import { holmesgptPlan } from '../config/holmesgpt.ts';
import { idleSettings } from '../config/idle-settings.ts';
import { SETTING_NAMES, SETTINGS } from '../config/setting-table.ts';
import { Fault } from '../config/setting-texts.ts';
import { readSettings } from '../config/settings.ts';
import { tlsFiles } from '../config/tls-files.ts';
import { ConfigError } from '../model/errors.ts';
import { SMALL } from '../model/yaml-document.ts';
import { MAX_FAULTS, parseYaml } from '../model/yaml-text.ts';
import { asFaults, type ContentFaults, placed, type ValueFault } from '../outputs/faults.ts';

const MAPPING = z.record(z.string(), z.unknown());

/** Checks the values of settings, also of a file with other faults. */
const VALUES = MAPPING.superRefine((content, context) => {
  const texts = settingTexts(content);
  for (const name of SETTING_NAMES) {
    const text = texts[name];
    const value = text === undefined ? undefined : SETTINGS[name].form.read(text);
    if (value instanceof Fault) context.addIssue({ code: 'custom', path: [name], message: value.what });
  }
});

/** Warnings about types without a built-in detector. `serve` refuses them, unless a custom detector has that type. */
function typeWarnings({ detectors }: Readonly<Record<string, unknown>>): ValueFault[] {
  if (typeof detectors !== 'object' || detectors === null) return [];
  const known = builtInDetectors()
    .detectors.map(({ type }) => type)
    .sort();
  return Object.keys(detectors)
    .filter((type) => !known.includes(type))
    .map((type) => ({
      path: ['detectors', type],
      message: `${unknownType(type, known)} (ignore this if one of your own detectors has it)`,
      level: 'warning',
    }));
}

/** Warnings about settings that contradict each other. `serve` refuses them, unless a flag or a variable resolves that. */
function contradictions(content: Readonly<Record<string, unknown>>): ValueFault[] {
  const texts = Object.entries(settingTexts(content)).filter(([, text]) => text !== undefined);
  const settings = readSettings(
    Object.fromEntries(texts.map(([name, text = '']) => [name, { text, origin: name }])),
  );
  const faultsOf = (check: () => unknown): string[] => {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.message.split('\n');
    }
  };
  const refused = [
    ...faultsOf(() => holmesgptPlan(settings, undefined)),
    ...faultsOf(() => tlsFiles(settings)),
  ];
  return [
    ...refused.map((each) => `${each} (ignore this if a flag or a variable sets it)`),
    ...idleSettings(settings),
  ].map((message) => ({ path: [], message, level: 'warning' }));
}

/** Finds all faults and warnings in a configuration file. */
export function checkConfig(text: string): ContentFaults {
  const parsed = parseYaml(text, { limits: SMALL });
  if ('faults' in parsed) return asFaults(parsed);
  const structure = asFaults(parsed.check(configFileSchema));
  const content = parsed.check(MAPPING);
  if (!('value' in content)) return structure;
  const values = asFaults(parsed.check(VALUES));
  const isReadable = !structure.refused && !values.refused;
  const warnings = [...typeWarnings(content.value), ...(isReadable ? contradictions(content.value) : [])];
  const types = placed(warnings, content.placeOf);
  const all = [...structure.faults, ...values.faults, ...types.faults];
  const kept = all.slice(0, MAX_FAULTS).sort((a, b) => a.line - b.line || a.column - b.column);
  return {
    faults: kept,
    more: structure.more + values.more + types.more + all.length - kept.length,
    refused: structure.refused || values.refused,
  };
}
