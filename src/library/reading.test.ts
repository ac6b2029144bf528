import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Backend, detect, InputError, render, type ServiceObject } from './index.ts';

const PROMETHEUS: ServiceObject = {
  metadata: { name: 'prometheus', namespace: 'monitoring', labels: { app: 'prometheus' } },
  spec: { ports: [{ port: 9090 }] },
};
const [backend] = detect([PROMETHEUS]).backends;
if (backend === undefined) throw new Error('there is no backend');

/** The error that a call throws. Nothing else may leave the library. */
function errorOf(act: () => unknown): InputError {
  try {
    act();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw new Error('another error than InputError', { cause: error });
  }
  throw new Error('nothing was thrown');
}

/** A copy of an object in which one field throws. */
const throwing = <T extends object>(object: T, field: string, thrown: unknown = null): T =>
  Object.defineProperty({ ...object }, field, {
    enumerable: true,
    get() {
      throw thrown;
    },
  });

function revoked(): never {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as never;
}

/** Throws itself, whatever one does with it. */
const hostile: never = new Proxy(
  {},
  Object.fromEntries(
    ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor'].map((trap) => [
      trap,
      () => {
        throw hostile;
      },
    ]),
  ),
) as never;

function* endless<T>(item: T): Generator<T> {
  for (;;) yield item;
}

// biome-ignore lint/correctness/useYield: it throws at once
function* failing(): Generator<never> {
  throw null;
}

describe('an object that throws is a problem, and the others count', () => {
  const { metadata } = PROMETHEUS;
  test.each<[string, ServiceObject]>([
    ['its kind', throwing(PROMETHEUS, 'kind')],
    ['its metadata', throwing(PROMETHEUS, 'metadata', hostile)],
    ['its labels', { ...PROMETHEUS, metadata: throwing(metadata ?? {}, 'labels') }],
    ['one label', { ...PROMETHEUS, metadata: { ...metadata, labels: throwing({}, 'app') } }],
    ['its time', { ...PROMETHEUS, metadata: { ...metadata, creationTimestamp: new Date(Number.NaN) } }],
    ['its port', { ...PROMETHEUS, spec: { ports: [{ port: 1n as unknown as number }] } }],
    ['a revoked proxy', revoked()],
    ['a hostile proxy', hostile],
  ])('%s', (_, object) => {
    const { backends, problems } = detect([object, PROMETHEUS]);
    expect(backends).toEqual([backend]);
    expect(problems).toMatchObject([{ where: 'object 0', what: expect.stringContaining('throws an error') }]);
  });
});

describe('what throws elsewhere is an error that names the place', () => {
  const options = (given: object) => [() => detect([], given), () => render([], given)];
  test.each<[string, readonly (() => unknown)[]]>([
    ['services', [revoked(), hostile, failing(), { items: failing() }].map((each) => () => detect(each))],
    ['backends', [revoked(), hostile, failing()].map((each) => () => render(each))],
    [
      'backends[1]',
      [
        revoked(),
        hostile,
        throwing(backend, 'tool'),
        { ...backend, evidence: revoked() },
        { ...backend, details: throwing(backend.details, 'mode', hostile) },
      ].map((each) => () => render([{ ...backend, name: 'other', tool: 'other' }, each])),
    ],
    ['options', [revoked(), hostile].flatMap(options)],
    ['options.overrides', [throwing({}, 'overrides'), { overrides: revoked() }].flatMap(options)],
    ['options.detectors', [throwing({}, 'detectors', hostile), { detectors: revoked() }].flatMap(options)],
  ])('%s', (place, acts) => {
    for (const act of acts) expect(errorOf(act).message).toContain(`${place}: cannot be read`);
  });

  test('with what was thrown as its cause', () => {
    const boom = new Error('boom');
    expect(errorOf(() => detect([], throwing({}, 'overrides', boom))).cause).toBe(boom);
  });
});

test('lists that never end, and huge ones, are refused', () => {
  const over = (input: string, most: string) => `${input}: has more than ${most} items, the limit`;
  for (const list of [endless(PROMETHEUS), { items: endless(null) }, { items: new Array(2e7) }])
    expect(errorOf(() => detect(list as Iterable<never>)).message).toBe(over('services', '100,000'));
  for (const list of [endless(backend), new Array<Backend>(2e7)])
    expect(errorOf(() => render(list)).message).toBe(over('backends', '10,000'));
  expect(errorOf(() => detect([], { detectors: new Array(2e7) })).message).toBe(
    'options.detectors: must have at most 10000 items',
  );
  expect(detect({ items: new Array(100_000) }).problems).toHaveLength(100_000);
});

test('whatever a field of a backend, render throws nothing but InputError', () => {
  const url = fc.tuple(fc.constantFrom('http', 'https', 'tcp'), fc.constantFrom(':', '://'), fc.string());
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    url.map((parts) => parts.join('')),
    fc.anything(),
  );
  const field = fc.constantFrom(...Object.keys(backend));
  fc.assert(
    fc.property(field, value, (name, given) => {
      try {
        render([{ ...backend, [name]: given } as Backend]);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
