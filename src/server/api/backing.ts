import type { ReadModel } from '../../controller/read-model.ts';
import type { Generated } from '../../model/documents.ts';
import type { DiscoverResult } from '../jobs.ts';
import type { DiscoverRequest } from './discovery-schemas.ts';
import type { GenerateService } from './generate-schemas.ts';
import type { DocumentKind } from './validate-schemas.ts';

/** One fault of a checked document: its place, what is wrong there, and whether it is an error. */
export interface CheckedFault {
  readonly path?: readonly PropertyKey[];
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly level: 'fault' | 'warning';
}

/** What is wrong with a document. */
export interface CheckedDocument {
  readonly faults: readonly CheckedFault[];
  /** How many more there are. */
  readonly more: number;
  /** Whether any of all is an error. */
  readonly refused: boolean;
}

/** What came of reading the configuration again. */
export type ReloadResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  | { readonly kind: 'refused'; readonly error: Error };

/** What the API reads, and the actions it starts. */
export interface Backing {
  readonly readModel: ReadModel;
  readonly version: string;
  readonly now: () => Date;
  /** Types that a detector knows. */
  types(): readonly string[];
  /** Whether this replica writes. */
  leads(): boolean;
  /**
   * The documents for these services, or for those that are known.
   * @param client who asks: each client has the documents of one request generated at a time
   * @throws ProblemError where they are not generated
   */
  generate(services: readonly GenerateService[] | undefined, client: string): Promise<Generated>;
  /**
   * What is wrong with a document.
   * @param client who sent it: each client has one document checked at a time
   * @throws ProblemError where it is not checked
   */
  check(kind: DocumentKind, content: string, client: string): Promise<CheckedDocument>;
  /** Probes backends anew. */
  discover(request: DiscoverRequest): Promise<DiscoverResult>;
  reload(): Promise<ReloadResult>;
}
