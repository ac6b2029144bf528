import { expect, test } from 'vitest';
import { backendsOf } from '../../../test/fixtures/unit/backends.ts';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import { asJson } from './json.ts';
import type { ExplainResult } from './result.ts';
import { asText } from './text.ts';

const loki = discovered(service('loki', { ports: ['http:3100'] }));
const [backend] = backendsOf([loki]);
const result: ExplainResult = {
  explanation: { service: loki.service, detectors: [], candidate: loki, problems: [] },
  probed: new Map([['loki', loki.verdict]]),
  verdict: loki.verdict,
  service: loki,
  approval: undefined,
  off: undefined,
  problems: [],
  cuts: [],
  id: backend?.id,
  conditions: backend?.conditions ?? [],
  isPublicationKnown: true,
};

const plain = (each: ExplainResult): string => asText(each, (_, text) => text);

test('conditions come before the verdict, one line each', () => {
  expect(plain(result)).toContain(`Conditions
  Detected   True     Name: Service monitoring/loki looks like loki: name loki
  Proven     Unknown  NoProof: GET / answered 200; nothing in its answers confirms or contradicts its type
  Healthy    True     ProbeSucceeded: GET / answered 200
  Published  False    NotYetPublished: the next publication adds it

Verdict
  loki, in the documents as the tool loki.monitoring
`);
});

test('without the published documents, they would repeat the other sections', () => {
  expect(plain({ ...result, isPublicationKnown: false })).not.toContain('Conditions');
});

test('JSON always has them, without times that a single run cannot know', () => {
  const { id, conditions } = JSON.parse(asJson({ ...result, isPublicationKnown: false })).backend;
  expect([id, conditions.at(-1)]).toEqual([
    'monitoring/loki',
    {
      type: 'Published',
      status: 'False',
      reason: 'NotYetPublished',
      message: 'the next publication adds it',
    },
  ]);
});
