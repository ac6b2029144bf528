import { expect, test } from 'vitest';
import { backendsOf, UNHELD } from '../../../test/fixtures/unit/backends.ts';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import type { CatalogInputs } from '../../controller/catalog.ts';
import type { Backend } from '../../model/backend.ts';
import type { DiscoveredService } from '../../model/discovery.ts';
import { NO_OVERRIDES } from '../../model/overrides.ts';
import { publishedTool } from '../../planning/published-tool.ts';
import { discoveredTool } from '../../planning/tools.ts';
import { asJson } from './json.ts';
import type { ExplainResult } from './result.ts';
import { asText } from './text.ts';

const loki = discovered(service('loki', { ports: ['http:3100'] }));
const [backend] = backendsOf([loki]);
/** The tool of Loki, as published. */
const TOOLS = [publishedTool(discoveredTool(loki))];
/** Loki as it is with these inputs, if it is published. */
const asPublished = (inputs: Partial<CatalogInputs> = {}): Backend | undefined =>
  backendsOf([loki], { tools: TOOLS, ...inputs })[0];
const result: ExplainResult = {
  source: undefined,
  explanation: { service: loki.service, detectors: [], candidate: loki, problems: [], ignored: [] },
  probed: new Map([['loki', loki.verdict]]),
  verdict: loki.verdict,
  service: loki,
  approval: undefined,
  asksBeforeEach: undefined,
  questions: undefined,
  problems: [],
  limit: undefined,
  cuts: [],
  id: backend?.id,
  conditions: backend?.conditions ?? [],
  isPublicationKnown: true,
  published: undefined,
  stillPublished: [],
  ownTool: undefined,
  generated: asPublished(),
};
/** The verdict, if the backend is in this state, and the documents were read. */
const verdict = (now: Backend | undefined, then = asPublished()): string =>
  verdictIn({ ...result, conditions: now?.conditions ?? [], generated: then });
/** The verdict, if the documents were not read and the generated ones have it like this. */
const forecast = (then: Backend | undefined): string =>
  verdictIn({ ...result, isPublicationKnown: false, generated: then });

const plain = (each: ExplainResult): string => asText(each, (_, text) => text);
/** The section with the verdict. */
const verdictIn = (each: ExplainResult): string =>
  plain(each).split('Verdict\n  ')[1]?.split('\nWhat you can do\n')[0] ?? '';

test('a limit that leaves the backend out is named, also for a Service that is not its entry point', () => {
  const limit = {
    ...{ where: 'all namespaces', what: 'the limit is 1', fix: 'raise it' },
    setting: { key: 'maxBackends' as const, enough: 9 },
  };
  const left = { ...result, service: undefined, verdict: undefined, probed: new Map(), limit };
  expect(plain(left)).toMatch(/Verdict\n {2}left out: the limit is 1; raise it\n\nWhat you can do/);
  const other = { ...result.explanation, service: { ...loki.service, name: 'loki-headless' } };
  expect(plain({ ...left, explanation: other })).toMatch(
    /Verdict\n {2}no tool of its own: loki is the one .*\n {2}left out: the limit is 1; raise it\n\nWhat you can do/,
  );
});

test('conditions come before the verdict, one line each', () => {
  expect(plain(result)).toContain(`Conditions
  Detected   True     Name: Service monitoring/loki looks like loki: name loki
  Proven     Unknown  NoProof: GET / answered 200; nothing in its answers confirms or contradicts its type
  Healthy    True     ProbeSucceeded: GET / answered 200
  Published  False    NotYetPublished: the next publication adds it

Verdict
  loki, not published: the next publication adds it
`);
});

const OMITTED = {
  omissions: [
    {
      key: 'monitoring/loki',
      tool: 'loki.monitoring',
      cause: 'credentials' as const,
      why: 'it needs credentials',
      fix: 'name them',
      leftOutOf: 'custom_toolset.yaml',
      keptIn: 'toolset.json',
    },
  ],
};
const OFF = {
  tools: [],
  overrides: { ...NO_OVERRIDES, tools: { 'monitoring/loki': { enabled: false } } },
};
const LIMITED = {
  tools: [],
  cuts: [{ key: 'monitoring/loki', limit: 'namespace_tools' as const, why: 'too many; raise MOST' }],
};
const HELD = { publication: { ...UNHELD, rollback: 3 } };

test.each([
  ['published', {}, 'loki, in the documents as the tool loki.monitoring\n'],
  [
    'in one of the documents',
    OMITTED,
    'loki, the tool loki.monitoring in toolset.json only: it needs credentials; name them\n',
  ],
  ['switched off', OFF, 'loki, not published: overrides.yaml switches it off (enabled: false)\n'],
  ['beyond a limit', LIMITED, 'loki, not published: too many; raise MOST\n'],
])('the verdict of a backend that is %s agrees with the condition Published', (_, inputs, expected) => {
  expect(verdict(asPublished(inputs), asPublished(inputs))).toBe(expected);
  expect(forecast(asPublished(inputs))).toBe(expected.replace('the documents', 'the generated documents'));
});

test('the verdict is about what is published, not about what will be', () => {
  expect(verdict(asPublished({ tools: [], ...OMITTED }))).toBe(
    'loki, not published: the next publication adds it, in toolset.json only: it needs credentials; name them\n',
  );
  expect(verdict(asPublished({ tools: [], ...HELD }))).toContain('not published: the rollback to revision 3');
  expect(verdict(asPublished({ ...OFF, tools: TOOLS }))).toContain(
    'the tool loki.monitoring: it stays published for now, and would otherwise be left out (DisabledByOverride',
  );
});

test('JSON says whether it becomes a tool', () => {
  const used = (generated: Backend | undefined) => JSON.parse(asJson({ ...result, generated })).used;
  expect([{}, OMITTED, OFF, LIMITED].map((inputs) => used(asPublished(inputs)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(used(undefined)).toBe(false);
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

test('the tools of an MCP server that are unknown or incomplete come with the cause', () => {
  const withTools = (part: Partial<typeof loki.verdict>): string =>
    plain({ ...result, verdict: { ...loki.verdict, ...part } });
  expect(withTools({ toolsGap: 'page 2 of its list got status 500' })).toContain(
    '\nTools of the server\n  its tools are unknown: page 2 of its list got status 500; the agent asks before each of them\n',
  );
  expect(withTools({ tools: [], toolsTruncated: true, toolsGap: 'it has more than 8 pages' })).toContain(
    '\nTools of the server: more than 0 tools\n  (the list was not read whole: it has more than 8 pages; ',
  );
});

test('each tool of a server shows whether the agent asks before it, and what is wrong with the list is noted', () => {
  const tools = ['get', 'drop'].map((name) => ({ name, readOnly: name === 'get', digest: '' }));
  const problems = [{ where: 'overrides.yaml', what: 'drops matches no tool', fix: 'did you mean drop?' }];
  const questions = { asksBefore: (name: string) => name === 'get', asksBeforeAll: false, problems };
  const server = { ...result, verdict: { ...loki.verdict, tools }, questions };
  expect(plain(server)).toContain('  read-only,  asked first   get\n  may change, runs unasked  drop\n');
  expect(plain(server)).toContain('Notes\n  overrides.yaml: drops matches no tool; did you mean drop?\n');
  const { probe, warnings } = JSON.parse(asJson(server));
  expect(probe.tools.map(({ asked }: { asked: boolean }) => asked)).toEqual([true, false]);
  expect(warnings).toEqual(problems);
  for (const verdict of [
    { ...server.verdict, toolsTruncated: true },
    { ...loki.verdict, toolsGap: 'a page is missing' },
  ]) {
    expect(plain({ ...server, verdict })).toContain(
      'asks before those that your approval_required_tools match',
    );
    const asking = { ...questions, asksBeforeAll: true };
    expect(plain({ ...server, verdict, questions: asking })).toMatch(/asks before each (of them|tool)/);
  }
});

test('the name in the documents counts, and what a rollback keeps in place of a tool', () => {
  const former = { ...(TOOLS[0] as (typeof TOOLS)[number]), name: 'former' };
  const shown = (now: Backend | undefined) =>
    verdictIn({
      ...result,
      conditions: now?.conditions ?? [],
      published: now?.published ?? now?.instead?.published,
    });
  expect(shown(asPublished({ tools: [former] }))).toBe('loki, in the documents as the tool former\n');
  const rollback = { publication: { ...UNHELD, rollback: 3 } };
  const held = { ...rollback, tools: [former], leftOutOf: () => [] };
  expect(shown(asPublished(held))).toBe(
    `loki, in the published documents, as the tool former at ${former.endpoint}\n`,
  );
  expect(shown(asPublished({ ...held, leftOutOf: () => ['a.yaml'] }))).toMatch(
    /^loki, the tool former left out of a\.yaml, as the tool former at .*: the rollback to revision 3 holds/,
  );
});

test('a Service that is not the entry point in use says so, and what is published of it', () => {
  const explanation = { ...result.explanation, service: { ...loki.service, name: 'loki-gateway' } };
  const stillPublished = [{ tool: 'loki-gateway.monitoring', why: 'it stays' }];
  expect(verdictIn({ ...result, explanation, stillPublished })).toBe(
    'not in use now: loki is the one for this loki\n  still published as the tool loki-gateway.monitoring: it stays\n',
  );
});

test('says what is known of the certificate if there are no conditions', () => {
  const probed = (certificate: NonNullable<typeof loki.verdict.certificate>, trustedWith?: string) => {
    const verdict = { ...loki.verdict, certificate, ...(trustedWith && { trustedWith }) };
    return { ...result, isPublicationKnown: false, verdict, probed: new Map([['loki', verdict]]) };
  };
  expect(plain(probed('trusted', '/etc/ca.pem'))).toContain(
    'its certificate is valid with the CA of /etc/ca.pem; the agent needs it too: HolmesGPT takes it',
  );
  expect(plain(probed('unknown authority'))).toContain(
    'from an authority that is unknown here; give its authority',
  );
  expect(plain({ ...probed('expired'), isPublicationKnown: true })).not.toContain('its certificate expired');
});

test('a Service has one line for each of its parts, and a part nothing of the others', () => {
  const part = (port: number, type: string): DiscoveredService => ({
    ...loki,
    ...{ type, certainty: 'hint', service: { ...loki.service, name: `loki:${port}` } },
    evidence: [{ signal: 'hint', detail: `port name ${type}` }],
  });
  const [tempo, pyroscope, mimir] = [part(3200, 'tempo'), part(4040, 'pyroscope'), part(80, 'mimir')];
  const proven = { ...loki.verdict, proof: 'proven', reason: 'ASKED TEMPO' } as const;
  const explanation = {
    ...result.explanation,
    parts: new Map([
      ['loki:3200', tempo],
      ['loki:4040', pyroscope],
      ['loki:80', { ...mimir, service: { ...mimir.service, name: 'mimir' } }],
    ]),
  };
  const probed = new Map([...result.probed, ['loki:3200', proven], ['loki:4040', loki.verdict]] as const);
  const text = plain({ ...result, explanation, probed });
  expect(text).toContain(
    [
      'Parts',
      '  loki:3200          tempo: port name tempo; answers as tempo',
      '  loki:4040          pyroscope: port name pyroscope; counts only with a proof',
      '  loki:80            mimir: port name mimir; leads to the same backend as mimir',
    ].join('\n'),
  );
  expect(text).not.toContain('ASKED TEMPO');
  const own = { ...result.explanation, service: tempo.service, candidate: tempo };
  const asked = plain({ ...result, explanation: own, probed, verdict: proven, service: tempo });
  expect(asked).toContain('Service monitoring/loki:3200');
  expect(/Probe\n[\s\S]*?\n\n/.exec(asked)?.[0]).toBe('Probe\n  healthy, proven: ASKED TEMPO\n\n');
  expect(JSON.parse(asJson({ ...result, explanation })).parts).toEqual(['loki:3200', 'loki:4040', 'loki:80']);
});

test('the advice on a part does not change its Service', () => {
  const service = { ...loki.service, name: 'loki:3200' };
  const candidate = { ...loki, service, type: 'tempo', certainty: 'hint' } as const;
  const explanation = { ...result.explanation, service, candidate };
  const text = plain({ ...result, explanation, service: undefined, probed: new Map() });
  expect(text).toContain('If it is tempo, in overrides.yaml:');
  expect(text).toContain('monitoring/loki:3200:');
  expect(text).not.toContain('labels');
});
