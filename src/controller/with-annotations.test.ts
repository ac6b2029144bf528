/** What is published beside the documents, for a process that starts. */
import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Cut } from '../model/documents.ts';
import { generate } from '../outputs/generate.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import type { Decision } from '../planning/decide.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { inUseNote, storedNames } from '../planning/services-in-use.ts';
import type { ReconcileInput } from './assess.ts';
import type { KeptNames } from './kept-names.ts';
import { type AnnotationContext, withAnnotations } from './with-annotations.ts';

const loki = (name: string) => discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }));
const [a, b] = [loki('a'), loki('b')];
const DECISION: Decision = {
  intent: toolset(generate([a]).documents),
  ...{ drift: undefined, released: [], rollback: undefined },
  held: { held: [], until: undefined, due: undefined },
};
const company = { all: new Set<string>(), better: new Set<string>(), hasWorked: true };
/** Both are in use, and one of them has no tool. */
const USE = {
  inUse: new Set([keyFor('monitoring/a'), keyFor('monitoring/b')]),
  companions: new Map([
    [keyFor('monitoring/a'), company],
    [keyFor('monitoring/b'), company],
  ]),
};
const KEPT: KeptNames = new Map([
  [
    'logs',
    {
      ...{ name: 'Logs', at: 0, since: 0, isAsked: true },
      holder: { cluster: '', namespace: 'monitoring', members: ['gone'] },
    },
  ],
]);
const annotated = (input: Partial<ReconcileInput> = {}, context: Partial<AnnotationContext> = {}) => {
  const { decision, notes } = withAnnotations(
    DECISION,
    { found: [a, b], contradicted: [], use: USE, ...input },
    { publisher: new MemoryPublisher(), outputs: OUTPUTS, cuts: [], live: undefined, ...context },
  );
  return { ...decision.intent, notes };
};
const namesIn = (note: string | undefined): string[] =>
  Object.values<object>(JSON.parse(note || '{}')).flatMap((each) => Object.keys(each));
const cut = (limit: Cut['limit']): readonly Cut[] => [{ limit, key: 'monitoring/b', why: 'too many' }];

describe('the Services in use', () => {
  test('are those that no tool shows', () => {
    expect(namesIn(annotated().servicesInUse)).toEqual(['b']);
    const unread = annotated({}, { outputs: { ...OUTPUTS, readsBack: false } });
    expect(namesIn(unread.servicesInUse)).toEqual(['a', 'b']);
    expect(unread.publishedTools).toContain('a');
    expect(annotated().publishedTools).toBe('');
  });

  test('are without those that a limit leaves out of all documents', () => {
    for (const limit of ['namespace_tools', 'document_bytes'] as const)
      expect(namesIn(annotated({}, { cuts: cut(limit) }).servicesInUse)).toEqual([]);
    expect(namesIn(annotated({}, { cuts: cut('agent_tools' as never) }).servicesInUse)).toEqual(['b']);
  });

  test('come with the names that are kept', () => {
    const { servicesInUse } = annotated({ use: { ...USE, keptNames: KEPT } });
    expect(storedNames(servicesInUse).map(({ name }) => name)).toEqual(['Logs']);
    expect(storedNames(annotated().servicesInUse)).toEqual([]);
  });

  test('have the times that are published already', () => {
    const stored = { service: { cluster: '', namespace: 'monitoring', name: 'b' }, tool: 'b.monitoring' };
    const { text } = inUseNote([{ ...stored, others: [], since: 1_234 }], []);
    const live = observed({ data: {}, labels: {}, annotations: { [SERVICES_IN_USE]: text } });
    expect(annotated({}, { live }).servicesInUse).toBe(text);
  });

  test('are unknown before they were found', () => {
    expect(annotated({ use: undefined }).servicesInUse).toBeUndefined();
  });
});
