import * as z from 'zod';
import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import { isShortPath, pathText } from '../model/visible.ts';
import { LARGE, type YamlLimits } from '../model/yaml-document.ts';
import {
  type Fault,
  type Faults,
  MOST_FAULTS,
  type Place,
  readPlacedYaml,
  readYaml,
} from '../model/yaml-text.ts';
import { holmesFaults } from './holmesgpt/contract.ts';
import { type HolmesFault, isFault } from './holmesgpt/model-check.ts';
import { toolsetJsonSchema } from './toolset-json/toolset-json.ts';

/** Most faults that are told of one document. */
const SHOWN = 5;

/** A place in a document, what is wrong there, and whether the agent refuses it or only ignores it. */
export interface DocumentFault extends Fault {
  readonly level: 'fault' | 'warning';
}

/** What is wrong with a document, faults before warnings where there are too many of both. */
export interface DocumentFaults {
  readonly faults: readonly DocumentFault[];
  /** How many more there are. */
  readonly more: number;
  /** Whether one of all is a fault. */
  readonly refused: boolean;
}

/** Faults of a text that a schema refuses, or nothing at all. */
export const asFaults = (read: Faults | object): DocumentFaults =>
  'faults' in read
    ? { faults: read.faults.map((each) => ({ ...each, level: 'fault' })), more: read.more, refused: true }
    : { faults: [], more: 0, refused: false };

/** Faults of HolmesGPT's, with their places in a text. */
export function placed(
  found: readonly HolmesFault[],
  placeOf: (path: readonly PropertyKey[]) => Place,
): DocumentFaults {
  const kept =
    found.length <= MOST_FAULTS
      ? found
      : [...found.filter(isFault), ...found.filter((each) => !isFault(each))].slice(0, MOST_FAULTS);
  return {
    faults: kept.map(({ path, message, level }) => ({
      ...placeOf(path),
      ...(isShortPath(path) ? { path } : {}),
      message: path.length === 0 ? message : `${pathText(path)}: ${message}`,
      level,
    })),
    more: found.length - kept.length,
    refused: found.some(isFault),
  };
}

/** What is wrong with a `custom_toolset.yaml`, as HolmesGPT reads it, which is by YAML 1.1. */
export function holmesTextFaults(text: string, limits: YamlLimits = LARGE): DocumentFaults {
  const read = readPlacedYaml(text, z.unknown(), { limits, version: '1.1' });
  return 'faults' in read ? asFaults(read) : placed(holmesFaults(read.value), read.placeOf);
}

function faultsOf(name: (typeof DOCUMENT_KEYS)[number], text: string): readonly Fault[] {
  if (name === 'custom_toolset.yaml') return holmesTextFaults(text).faults.filter(isFault);
  return asFaults(readYaml(text, toolsetJsonSchema, { limits: LARGE })).faults;
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
