import { describe, expect, it } from 'vitest';
import { detect } from '../../src/detection/detect.ts';
import type { Candidate } from '../../src/model/discovery.ts';
import type { Service } from '../../src/model/service.ts';
import { DETECTION, type ExpectedBackend, expectedOf, fixtureTypes, rules, servicesOf } from './fixtures.ts';

function candidatesIn(services: readonly Service[]): Map<string, Candidate> {
  const { candidates } = detect(services, rules, DETECTION);
  return new Map(candidates.map((candidate) => [candidate.service.name, candidate]));
}

/** A candidate in the words of `expected.yaml`; what is not asked for there is left out. */
function described(candidate: Candidate, wanted: ExpectedBackend | undefined): ExpectedBackend {
  const { type, endpoint, certainty, mode, tool } = candidate;
  return {
    type,
    port: endpoint.port,
    scheme: endpoint.scheme,
    ...(endpoint.path === '' ? {} : { path: endpoint.path }),
    ...(mode === 'streamable-http' ? {} : { mode }),
    ...(certainty === 'hint' ? { certainty } : {}),
    ...(wanted?.tool === undefined ? {} : { tool }),
  };
}

it('has a fixture folder for each detector, and no other', () => {
  expect(fixtureTypes).toEqual(rules.detectors.map(({ detector }) => detector.type).sort());
});

describe('annotated but unusable', () => {
  const custom = servicesOf('custom');
  const problemsIn = (namespace: string) => {
    const { problems } = detect(custom.get(namespace) ?? [], rules, DETECTION);
    return Object.groupBy(problems, ({ where }) => where.replace(`Service ${namespace}/`, ''));
  };

  it('is reported with the fix: an endpoint that leads elsewhere', () => {
    const told = problemsIn('refused');
    expect(Object.keys(told).sort()).toEqual((custom.get('refused') ?? []).map(({ name }) => name).sort());
    for (const problems of Object.values(told))
      expect(problems).toEqual([
        {
          where: expect.any(String),
          what: expect.stringContaining('annotation kubernaut.io/toolset-endpoint '),
          fix: expect.any(String),
        },
      ]);
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('is reported: a value that is skipped', () => {
    expect(Object.keys(problemsIn('corrected')).sort()).toEqual(['bad-health', 'bad-name', 'bad-type']);
  });

  it('is reported: a Service whose port is unknown', () => {
    expect(Object.keys(problemsIn('not-offered')).sort()).toEqual(['no-ports', 'two-ports', 'udp']);
  });
});

describe.each(fixtureTypes)('%s', (type) => {
  const services = servicesOf(type);
  const expected = expectedOf(type);

  it('finds its own type, and has Services that do not match', () => {
    const wanted = Object.values(expected).flatMap((backends) => Object.values(backends));
    const sure = wanted.filter(({ certainty }) => certainty !== 'hint');
    // An owner may call a type as they like.
    expect(sure.map((backend) => (type === 'custom' ? 'custom' : backend.type))).toContain(type);
    expect([...services.values()].flat().length).toBeGreaterThan(wanted.length);
  });

  it('lists the expected backends of each installation', () => {
    expect(Object.keys(expected).sort()).toEqual([...services.keys()].sort());
  });

  it.each(Object.keys(expected))('finds exactly the backends in %s', (namespace) => {
    const wanted = expected[namespace] ?? {};
    const found: Record<string, ExpectedBackend> = {};
    for (const [name, candidate] of candidatesIn(services.get(namespace) ?? [])) {
      // Without a proof a hint is nothing: only those that the fixture names are looked at.
      if (candidate.certainty === 'hint' && wanted[name]?.certainty !== 'hint') continue;
      found[name] = described(candidate, wanted[name]);
    }
    expect(found).toEqual(wanted);
  });

  it('finds the same in all installations together, in any order', () => {
    const all = [...services.values()].flat();
    const keys = (list: readonly Service[]): string[] =>
      detect(list, rules, DETECTION).candidates.map(
        ({ service, type: found, endpoint }) =>
          `${service.namespace}/${service.name} ${found} ${endpoint.port}`,
      );
    const apart = [...services.values()].flatMap((list) => keys(list));
    expect(keys(all.toReversed())).toEqual(keys(all));
    expect(keys(all).sort()).toEqual(apart.sort());
  });
});
