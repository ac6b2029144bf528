import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** One answer, however it was asked for. */
export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

interface Schema {
  readonly [name: string]: unknown;
}

export interface Parameter {
  readonly in: 'query' | 'path' | 'header';
  readonly name: string;
  readonly schema: Schema;
}

/** An operation as the description of the API has it. */
export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

/** An operation with its place in the description. */
export interface Documented {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The description of an API, and whether answers are as it says. */
export class Contract {
  readonly operations: readonly Documented[];
  readonly #ajv = new Ajv2020({ allErrors: true, strict: false });
  readonly #checks = new Map<Schema, ValidateFunction>();
  readonly #components: unknown;

  /** @param text the OpenAPI document */
  constructor(text: string) {
    const { paths, components } = JSON.parse(text) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
      readonly components: unknown;
    };
    // The default export of a CommonJS module is all of it.
    addFormats.default(this.#ajv);
    this.#components = components;
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        operation,
      })),
    );
  }

  /** An operation by its id. @throws Error where there is none */
  of(id: string): Documented {
    const found = this.operations.find(({ operation }) => operation.operationId === id);
    if (found === undefined) throw new Error(`no operation ${id} is documented`);
    return found;
  }

  /** What of an answer is other than the description says; empty if nothing is. */
  faults({ method, path, operation }: Documented, { status, contentType, body }: Answer): string[] {
    const where = `${method} ${path} ${status}`;
    const response = operation.responses[status];
    if (response === undefined) return [`${where}: the status is not documented`];
    if (response.content === undefined) return body === '' ? [] : [`${where}: a body is not documented`];
    const type = contentType?.split(';', 1)[0] ?? '';
    const media = response.content[type];
    if (media === undefined) return [`${where}: content type ${JSON.stringify(type)} is not documented`];
    if (!/json$/.test(type)) return [];
    const check = this.#check(media.schema);
    check(JSON.parse(body));
    return (check.errors ?? []).map(({ instancePath, message }) => `${where}: ${instancePath} ${message}`);
  }

  #check(schema: Schema): ValidateFunction {
    const known = this.#checks.get(schema);
    if (known !== undefined) return known;
    const made = this.#ajv.compile({ ...schema, components: this.#components });
    this.#checks.set(schema, made);
    return made;
  }
}
