import * as z from 'zod';
import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import { type Fault, readPlacedYaml, readYaml } from '../model/yaml-text.ts';
import { holmesFaults } from './holmes-contract.ts';
import { isFault } from './model-check.ts';
import { toolsetJsonSchema } from './toolset-json.ts';

/** Most faults that are told of one document. */
const SHOWN = 5;

/** A place in a document, what is wrong there, and whether the agent refuses it or only ignores it. */
export interface DocumentFault extends Fault {
  readonly level: 'fault' | 'warning';
}

/** Every fault and warning of a `custom_toolset.yaml`, as HolmesGPT reads it, which is by YAML 1.1. */
export function holmesTextFaults(text: string): DocumentFault[] {
  const read = readPlacedYaml(text, z.unknown(), '1.1');
  if ('faults' in read) return read.faults.map((each) => ({ ...each, level: 'fault' as const }));
  return holmesFaults(read.value).map(({ path, message, level }) => ({
    ...read.placeOf(path),
    path,
    message: path.length === 0 ? message : `${path.join('.')}: ${message}`,
    level,
  }));
}

function faultsOf(name: (typeof DOCUMENT_KEYS)[number], text: string): readonly Fault[] {
  if (name === 'custom_toolset.yaml') return holmesTextFaults(text).filter(isFault);
  const read = readYaml(text, toolsetJsonSchema);
  return 'faults' in read ? read.faults : [];
}

/**
 * What is wrong with documents that were published, for example as they were read back: the first faults of each with
 * their document, line and column. None if an agent can use them. Never throws for what the documents hold.
 */
export function documentFaults(documents: Documents): string[] {
  return DOCUMENT_KEYS.flatMap((name) =>
    faultsOf(name, documents[name])
      .slice(0, SHOWN)
      .map(({ line, column, message }) => `${name}, line ${line}, column ${column}: ${message}`),
  );
}
