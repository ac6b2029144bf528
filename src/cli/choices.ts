/** The values of enumerated flags, in a file of their own so that help loads no command. */
import { OUTPUT_IDS } from '../model/output-ids.ts';

export const FORMATS = ['table', 'wide', 'name', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

export const DOCUMENT_FORMATS = [...OUTPUT_IDS, 'configmap'] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

export const FILE_KINDS = ['overrides', ...OUTPUT_IDS, 'config', 'detector'] as const;
export type FileKind = (typeof FILE_KINDS)[number];

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
