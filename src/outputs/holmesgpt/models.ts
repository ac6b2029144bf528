import document from './models.json' with { type: 'json' };

/** The part of JSON Schema that the models use. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null';
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  /** Old names of fields; `null`: taken and without effect. */
  readonly deprecated?: Readonly<Record<string, string | null>>;
  /** Names of the model's validators that are written in Python. */
  readonly validators?: readonly string[];
}

/** A built-in toolset. */
export interface ToolsetModel {
  /** It is on where nothing is said of it. */
  readonly enabled: boolean;
  /** Without `core` and `cluster` the server does not load it. */
  readonly tags: readonly string[];
  /** Its configuration may hold a list of instances. */
  readonly instances: boolean;
  /** It does not work without a configuration. */
  readonly needsConfig: boolean;
  /** The models of its configuration, in the order in which HolmesGPT lists them. */
  readonly configs: readonly string[];
}

/** An entry of one `type`. */
export interface EntryModel {
  readonly model: string;
  readonly required: readonly string[];
  /** Fields of the model that the loader refuses. */
  readonly refused: readonly string[];
  /** Fields that the loader takes and the model does not have. */
  readonly extra: readonly string[];
  readonly configs: readonly string[];
  readonly subtypes?: readonly string[];
}

export type EntryType = 'built-in' | 'custom' | 'mcp' | 'http' | 'database' | 'mongodb';

/**
 * What HolmesGPT accepts in `custom_toolset.yaml`, as its own classes say; `npm run holmes-schema` reads them from the
 * package.
 */
export const HOLMES = document as unknown as {
  readonly holmesgpt: string;
  readonly removedNames: readonly string[];
  readonly renamedNames: Readonly<Record<string, string>>;
  /** Fields of which an instance inherits all or none. */
  readonly inheritedTogether: readonly (readonly string[])[];
  readonly toolsets: Readonly<Record<string, ToolsetModel>>;
  readonly entries: Readonly<Record<EntryType, EntryModel>>;
  readonly models: Readonly<Record<string, Schema>>;
};

/** The value of an own property; a document may well hold a key such as `constructor`. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
