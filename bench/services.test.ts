import { describe, expect, it } from 'vitest';
import { detect } from '../src/detection/detect.ts';
import type { Service } from '../src/model/service.ts';
import { serviceFromObject } from '../src/sources/service-object.ts';
import { DETECTION, rules } from '../test/detectors/fixtures.ts';
import { recordings } from '../test/detectors/replay.ts';
import { serviceObject } from './objects.ts';
import { benchServices, recordingNames } from './services.ts';

const services = benchServices(1000);
const parsed = services.map((each) => serviceFromObject({ ...serviceObject(each) }, 'none') as Service);

describe('the Services of the benchmarks', () => {
  it('are the same each time, and a small set is the beginning of a large one', () => {
    expect(benchServices(100)).toEqual(services.slice(0, 100));
  });

  it('have unique names', () => {
    const names = services.map(({ namespace, spec }) => `${namespace}/${spec.name}`);
    expect(new Set(names).size).toBe(services.length);
  });

  it('have a recording for each kind of backend', () => {
    expect(recordings).toEqual(expect.arrayContaining([...recordingNames]));
  });

  it('include one backend in ten, which detection finds with the right type, and no others', () => {
    const found = detect(parsed, rules, DETECTION).candidates.map(
      ({ service, type }) => `${service.namespace}/${service.name} ${type}`,
    );
    const wanted = services.flatMap(({ namespace, spec, backend }) =>
      backend === undefined ? [] : `${namespace}/${spec.name} ${backend}`,
    );
    expect(wanted).toHaveLength(100);
    expect(found.sort()).toEqual(wanted.sort());
  });
});
