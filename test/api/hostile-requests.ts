import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import type { Documented, Parameter } from './contract.ts';

/** Texts that have broken servers. */
const HOSTILE = [
  '',
  '\0',
  'a\0b',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%',
  '%E0%A4%A',
  '\ud800',
  '\u202e\u0000\ufeff',
  '{{ env.SECRET }}',
  '1e309',
  '9'.repeat(400),
  '-0',
  'NaN',
  'null',
  'x'.repeat(5_000),
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '&a [*a]: *a',
  `a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]`,
  '? [a]\n: {b: [',
  '!!js/function x',
  'tools:\n  a: {enabled: false}\nholmesgpt: {toolsets: {__proto__: {}}}\n',
  '{"tools":[{"name":"a","type":"b","endpoint":"http://[::1","description":""}]}',
  '['.repeat(2_000),
  '{"a":'.repeat(2_000),
];

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

/** A value of any kind, with keys that belong to every object. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  hostile,
  fc.constantFrom(Number.MAX_VALUE, -1e308, 2 ** 64, 1e-320),
  fc.dictionary(fc.oneof(hostile, fc.constantFrom('services', 'kind', 'content')), fc.jsonValue(), {
    maxKeys: 4,
  }),
);

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly format?: string;
}

/** Mostly what a schema allows, and here and there something else in the place of a part. */
function fromSchema(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: allowed(schema) }, { weight: 1, arbitrary: anything });
}

function allowed(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fromSchema));
  switch (schema.type) {
    case 'object':
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties ?? {}).map(([name, part]) => [name, fromSchema(part)]),
        ),
        { requiredKeys: [...(schema.required ?? [])] },
      );
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}), { maxLength: 4 });
    case 'boolean':
      return fc.boolean();
    case 'string':
      if (schema.format === 'uri') return fc.oneof(fc.webUrl({ withQueryParameters: true }), hostile);
      if (schema.pattern !== undefined)
        return fc.oneof(fc.constantFrom('a', 'shop', 'monitoring', '1', '500'), hostile);
      return fc.oneof(fc.constantFrom('prometheus', 'loki', 'custom', 'grafana.shop'), hostile);
    default:
      return anything;
  }
}

const FORM_OF_QUERY = fc.constantFrom(encodeURIComponentSafe, (text: string) => text.replace(/[\s#]/g, ''));

/** Escapes a text for a query; what cannot be escaped is left as it is. */
function encodeURIComponentSafe(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function queryOf(parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const known = parameters.filter((each) => each.in === 'query');
  const pair = fc.tuple(
    known.length === 0
      ? hostile
      : fc.oneof(
          { weight: 5, arbitrary: fc.constantFrom(...known.map(({ name }) => name)) },
          { weight: 1, arbitrary: hostile },
        ),
    fc.oneof(fc.constantFrom('true', 'false', '1', 'shop', 'prometheus'), hostile),
    FORM_OF_QUERY,
  );
  return fc
    .array(pair, { maxLength: 4 })
    .map((pairs) => pairs.map(([name, value, form]) => `${form(name)}=${form(value)}`).join('&'));
}

const headers = fc.record(
  {
    accept: fc.oneof(
      fc.constantFrom('*/*', 'application/json', 'text/event-stream', 'a/b;q=2', ';,;'),
      hostile,
    ),
    'if-none-match': fc.oneof(fc.constantFrom('*', 'W/"x"', '"'), hostile),
    'content-type': fc.oneof(
      { weight: 8, arbitrary: fc.constant('application/json') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('application/json; charset=x', 'text/plain', 'application/xml', '/'),
      },
      { weight: 1, arbitrary: hostile },
    ),
    'x-request-id': hostile,
    'content-length': fc.constantFrom('-1', 'x', '5'),
    authorization: hostile,
    cookie: hostile,
  },
  { requiredKeys: [] },
);

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Requests for an operation: mostly nearly right, with the rest as bad as can be. */
export function hostileRequests({ method, path, operation }: Documented): fc.Arbitrary<InjectOptions> {
  const { parameters = [], requestBody } = operation;
  const schema = (requestBody?.content['application/json']?.schema ?? {}) as Schema;
  const right = method as 'GET' | 'POST';
  return fc.record({
    method: fc.oneof(
      { weight: 12, arbitrary: fc.constant(right) },
      { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
    ),
    url: fc
      .tuple(fc.oneof(fc.constant('prometheus.shop'), hostile), queryOf(parameters), FORM_OF_QUERY)
      .map(([name, query, form]) => `${path.replace(/\{\w+\}/, () => form(name))}?${query}`),
    headers,
    ...(method === 'GET'
      ? {}
      : {
          payload: fc.oneof(
            { weight: 8, arbitrary: fromSchema(schema).map((value) => JSON.stringify(value) ?? '') },
            { weight: 1, arbitrary: hostile },
          ),
        }),
  });
}
