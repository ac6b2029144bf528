import type { ReadModel } from '../../controller/read-model.ts';
import type { DiscoverResult } from '../jobs.ts';
import type { DiscoverRequest } from './discovery-schemas.ts';
import type { GenerateService } from './generate-schemas.ts';
import type { DocumentKind } from './validate-schemas.ts';

/** One fault of a checked document. */
export interface CheckedFault {
  readonly path?: readonly PropertyKey[];
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly level: 'fault' | 'warning';
}

/** The result of checking a document. */
export interface CheckedDocument {
  readonly faults: readonly CheckedFault[];
  /** Number of further faults. */
  readonly more: number;
  /** Whether any fault is an error. */
  readonly refused: boolean;
}

/** The result of reloading the configuration. */
export type ReloadResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  | { readonly kind: 'refused'; readonly error: Error };

/** What the API needs from the app: the state that it reads, and the actions that it starts. */
export interface ApiService {
  readonly readModel: ReadModel;
  readonly version: string;
  readonly now: () => Date;
  /** The types of all enabled detectors. */
  types(): readonly string[];
  /** Whether this replica writes. */
  leads(): boolean;
  /**
   * Rejects a second request of a client to generate or check documents before its body is read.
   * @throws ProblemError while the first one is in progress
   */
  mustBeFirst(client: string): void;
  /**
   * Generates documents for these services, or for the known backends.
   * @param client identifies the caller, who may have one such request at a time
   * @returns the response, as JSON in UTF-8
   * @throws ProblemError if the documents are not generated
   */
  generate(services: readonly GenerateService[] | undefined, client: string): Promise<Uint8Array>;
  /**
   * Checks a document.
   * @param client identifies the caller, who may have one such request at a time
   * @throws ProblemError if the document is not checked
   */
  check(kind: DocumentKind, content: string, client: string): Promise<CheckedDocument>;
  /**
   * Probes backends again.
   * @param client identifies the caller, who may have a few such requests at a time
   * @throws ProblemError if there are too many
   */
  discover(request: DiscoverRequest, client: string): Promise<DiscoverResult>;
  reload(): Promise<ReloadResult>;
}
