import document from '../models.json' with { type: 'json' };

/** The subset of JSON Schema that the models use. */
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
  /** Deprecated names of fields; `null`: accepted without effect. */
  readonly deprecated?: Readonly<Record<string, string | null>>;
  /** Names of the model's validators in Python. */
  readonly validators?: readonly string[];
}

/** A built-in toolset. */
export interface ToolsetModel {
  /** Enabled by default. */
  readonly enabled: boolean;
  /** The server loads only toolsets with `core` or `cluster`. */
  readonly tags: readonly string[];
  /** Its configuration may have a list of instances. */
  readonly instances: boolean;
  /** It requires a configuration. */
  readonly needsConfig: boolean;
  /** The models of its configuration, in HolmesGPT's order. */
  readonly configs: readonly string[];
}

/** An entry of one `type`. */
export interface EntryModel {
  readonly model: string;
  readonly required: readonly string[];
  /** Fields of the model that the loader rejects. */
  readonly refused: readonly string[];
  /** Fields that the loader accepts in addition to those of the model. */
  readonly extra: readonly string[];
  readonly configs: readonly string[];
  readonly subtypes?: readonly string[];
}

export type EntryType = 'built-in' | 'custom' | 'mcp' | 'http' | 'database' | 'mongodb';

/** What HolmesGPT accepts in `custom_toolset.yaml`, extracted from its classes by `npm run holmes-schema`. */
export const HOLMES = document as unknown as {
  readonly holmesgpt: string;
  readonly removedNames: readonly string[];
  readonly renamedNames: Readonly<Record<string, string>>;
  /** Groups of fields of which an instance inherits all or none. */
  readonly inheritedTogether: readonly (readonly string[])[];
  readonly toolsets: Readonly<Record<string, ToolsetModel>>;
  readonly entries: Readonly<Record<EntryType, EntryModel>>;
  readonly models: Readonly<Record<string, Schema>>;
};

/** The value of an own property. Documents may have keys such as `constructor`. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
