import { overridesSchema } from '../model/overrides.ts';
import type { YamlLimits } from '../model/yaml-document.ts';
import { readPlacedYaml, readYaml } from '../model/yaml-text.ts';
import { asFaults, type DocumentFaults, holmesTextFaults, placed } from './check.ts';
import { patchFaults } from './holmesgpt/patch.ts';
import { toolsetJsonSchema } from './toolset-json/toolset-json.ts';

/** The documents of a published ConfigMap, by what is in them. */
export type DocumentKind = 'holmesgpt' | 'toolset-json' | 'overrides';

/** Overrides, and what of their `holmesgpt:` part HolmesGPT would refuse, as far as it shows in that part alone. */
function overridesFaults(text: string, limits: YamlLimits): DocumentFaults {
  const read = readPlacedYaml(text, overridesSchema, { limits });
  if ('faults' in read) return asFaults(read);
  const found = patchFaults(read.value.holmesgpt);
  return placed(
    found.map((each) => ({ ...each, path: ['holmesgpt', ...each.path] })),
    read.placeOf,
  );
}

/** What is wrong with a document of somebody else. Never throws for what the text holds. */
export function checkText(kind: DocumentKind, text: string, limits: YamlLimits): DocumentFaults {
  switch (kind) {
    case 'holmesgpt':
      return holmesTextFaults(text, limits);
    case 'overrides':
      return overridesFaults(text, limits);
    case 'toolset-json':
      return asFaults(readYaml(text, toolsetJsonSchema, { limits }));
  }
}
