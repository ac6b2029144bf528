import { describe, expect, test } from 'vitest';
import type { Check } from '../model/proof.ts';
import { matchesCheck } from './check.ts';
import type { ProbeResponse } from './fetch.ts';

const body = {
  status: 'success',
  version: { number: '8.1', distribution: 'OpenSearch' },
  total: 0,
  ok: false,
  none: null,
  list: ['a'],
  'a.b': 1,
};
const answer = (change: Partial<ProbeResponse> = {}): ProbeResponse => ({
  status: 200,
  headers: { 'x-elastic-product': 'Elasticsearch', 'set-cookie': ['a=1', 'b=2'] },
  body: JSON.stringify(body),
  ...change,
});

describe('a response matches a check', () => {
  test.each<[string, Omit<Check, 'get'>, boolean]>([
    ['that asks for nothing more', {}, true],
    ['for its status', { status: [200, 401] }, true],
    ['for another status', { status: [401] }, false],
    ['for a text', { json: { status: 'success' } }, true],
    ['for another text', { json: { status: 'error' } }, false],
    ['for a text, letter case and all', { json: { status: 'Success' } }, false],
    ['for a number', { json: { total: 0 } }, true],
    ['for a number where a text is', { json: { 'version.number': 8.1 } }, false],
    ['for a truth value', { json: { ok: false } }, true],
    ['for a nested text', { json: { 'version.distribution': 'OpenSearch' } }, true],
    ['for a part of a text', { json: { 'version.distribution': { contains: 'nsEARCH' } } }, true],
    ['for a part that is not in it', { json: { 'version.distribution': { contains: 'elastic' } } }, false],
    ['for a part of a value that is not a string', { json: { total: { contains: '0' } } }, false],
    ['for the kind string', { json: { 'version.number': { type: 'string' } } }, true],
    ['for the kind number', { json: { total: { type: 'number' } } }, true],
    ['for the kind number where a text is', { json: { status: { type: 'number' } } }, false],
    ['for the kind boolean', { json: { ok: { type: 'boolean' } } }, true],
    ['for the kind object', { json: { version: { type: 'object' } } }, true],
    ['for the kind object where a list is', { json: { list: { type: 'object' } } }, false],
    ['for the kind object where null is', { json: { none: { type: 'object' } } }, false],
    ['for the kind array', { json: { list: { type: 'array' } } }, true],
    ['for the kind array where an object is', { json: { version: { type: 'array' } } }, false],
    ['for a value that is present', { json: { none: { present: true } } }, true],
    ['for a value that is absent', { json: { 'version.flavor': { present: false } } }, true],
    ['for the absence of a value that is present', { json: { version: { present: false } } }, false],
    ['for the body itself', { json: { '': { type: 'object' } } }, true],
    ['for all of several values', { json: { status: 'success', total: 0 } }, true],
    ['for several values, one of which differs', { json: { status: 'success', total: 1 } }, false],
    [
      'for a property that only JavaScript gives an object',
      { json: { 'constructor.name': 'Object' } },
      false,
    ],
    ['for a header', { headers: { 'x-elastic-product': 'elastic' } }, true],
    ['for a header of any value', { headers: { 'x-elastic-product': true } }, true],
    ['for a header of several values', { headers: { 'set-cookie': 'b=2' } }, true],
    ['for a header with another value', { headers: { 'x-elastic-product': 'OpenSearch' } }, false],
    ['for a header that is not there', { headers: { server: true } }, false],
    ['for a text in its body', { body: '"openSEARCH"' }, true],
    ['for a text not in its body', { body: 'Grafana' }, false],
    ['for another whole body', { text: 'Prometheus Server is Healthy.' }, false],
    [
      'all together',
      { status: [200], headers: { 'x-elastic-product': true }, json: { total: 0 }, body: 'a.b' },
      true,
    ],
    [
      'all together but one',
      { status: [200], headers: { server: true }, json: { total: 0 }, body: 'a.b' },
      false,
    ],
    ['not, where it does', { json: { status: 'success' }, not: true }, false],
    ['not, where it does not', { json: { status: 'error' }, not: true }, true],
  ])('%s', (_, check, holds) => {
    expect(matchesCheck(answer(), { get: '/', ...check })).toBe(holds);
  });

  test.each([
    [199, false],
    [200, true],
    [204, true],
    [299, true],
    [301, false],
    [401, false],
    [404, false],
    [500, false],
  ])('without a status, with %i: %j', (status, holds) => {
    expect(matchesCheck(answer({ status }), { get: '/' })).toBe(holds);
  });

  test('a whole body counts without surrounding white space', () => {
    const check = { get: '/', text: 'Prometheus Server is Healthy.' };
    expect(matchesCheck(answer({ body: 'Prometheus Server is Healthy.\n' }), check)).toBe(true);
    expect(matchesCheck(answer({ body: 'Not: Prometheus Server is Healthy.' }), check)).toBe(false);
  });

  test.each(['', 'text', '{', 'null', '7', '[]', '"text"', `${'['.repeat(30_000)}`])(
    'a body that is not a JSON object, %j, has no values and does no harm',
    (text) => {
      expect(matchesCheck(answer({ body: text }), { get: '/', json: { 'a.b.c': { present: true } } })).toBe(
        false,
      );
      expect(matchesCheck(answer({ body: text }), { get: '/', json: { status: 'success' } })).toBe(false);
    },
  );
});
