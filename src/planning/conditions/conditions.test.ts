import { expect, test } from 'vitest';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import { CERTAINTIES } from '../../model/certainties.ts';
import {
  CONDITION_REASONS,
  type ConditionReason,
  type ConditionStatus,
  type ConditionType,
} from '../../model/condition.ts';
import type { Approval, DiscoveredService, Verdict } from '../../model/discovery.ts';
import type { Cut, Omission, Scope } from '../../model/documents.ts';
import { removals } from '../removals.ts';
import { findingsOf } from './conditions.ts';
import { type PublicationState, publicationState, STATE_ANNOTATIONS } from './published.ts';

const LOKI = discovered(
  service('loki', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http:3100'] }),
);

const STATE: PublicationState = {
  isKnown: true,
  rollback: undefined,
  overrideError: undefined,
  failure: undefined,
  decides: true,
};

type Facts = Parameters<typeof findingsOf>[1];
type Found = Partial<Omit<DiscoveredService, 'verdict'>> & { readonly verdict?: Partial<Verdict> };

const FACTS: Facts = {
  state: STATE,
  namespace: 'monitoring',
  isOutage: false,
  isPublished: true,
  isFound: true,
  approval: { state: 'open', reason: '' },
  switchedOff: undefined,
  hasOwnAddress: false,
  cuts: [],
  omissions: [],
};

const OTHER = { name: 'other', type: 'loki', endpoint: 'http://other:1', description: '', metadata: {} };

/** What the documents have while a rollback holds. */
const during = (standing: Facts['standing']): Partial<Facts> => ({
  standing,
  state: { ...STATE, rollback: 3 },
});

function conditionOf(type: ConditionType, found: Found, facts: Partial<Facts>): readonly string[] {
  const all = findingsOf(
    { ...LOKI, ...found, verdict: { ...LOKI.verdict, ...found.verdict } },
    { ...FACTS, ...facts },
  );
  const { status, reason, message } = all.find((each) => each.type === type) ?? {
    status: 'none',
    reason: 'none',
    message: '',
  };
  return [status, reason, message];
}

const approval = (state: Approval['state'], reason = 'because'): Partial<Facts> => ({
  approval: { state, reason },
});
const state = (changed: Partial<PublicationState>): PublicationState => ({ ...STATE, ...changed });
const SCOPE: Scope = { leftOutOf: 'custom_toolset.yaml', keptIn: 'toolset.json' };
const cut = (limit: Cut['limit'], scope: Scope = {}): Partial<Facts> => ({
  cuts: [{ limit, ...scope, key: 'monitoring/loki', why: 'namespace monitoring has too many; raise MOST' }],
});
const omission = (cause: Omission['cause']): Partial<Facts> => ({
  omissions: [
    { cause, key: 'monitoring/loki', tool: 'loki', why: 'it cannot', fix: 'configure it', ...SCOPE },
  ],
});
const unhealthy = (fault?: Verdict['fault']): Found => ({
  verdict: { health: 'unhealthy', reason: 'it does not', ...(fault === undefined ? {} : { fault }) },
});
const UNPUBLISHED: Partial<Facts> = { isPublished: false };

type Case<T extends ConditionType> = readonly [
  ConditionReason<T>,
  ConditionStatus,
  found: Found,
  facts: Partial<Facts>,
  message: string,
];

const DETECTED: readonly Case<'Detected'>[] = [
  [
    'RecommendedLabel',
    'True',
    {},
    {},
    'Service monitoring/loki looks like loki: label app.kubernetes.io/name=loki',
  ],
  ['RecommendedLabel', 'True', { evidence: [] }, {}, 'looks like loki: nothing else is known of it'],
  [
    'RecommendedLabel',
    'True',
    { type: 'mimir', verdict: { proof: 'proven', provenAs: 'mimir' } },
    {},
    'looks like another product (label app.kubernetes.io/name=loki), but answers as mimir',
  ],
  ['NotFound', 'False', {}, { isFound: false }, 'explain monitoring/loki shows what it is now'],
];
const PROVEN: readonly Case<'Proven'>[] = [
  ['AnsweredAsExpected', 'True', { verdict: { proof: 'proven' } }, {}, 'GET / answered 200'],
  ['AnsweredAsOtherType', 'True', { verdict: { proof: 'proven', provenAs: 'mimir' } }, {}, 'GET /'],
  [
    'AnsweredAsSomethingElse',
    'False',
    { verdict: { proof: 'contradicted' } },
    {},
    'give its URL as the endpoint of monitoring/loki under tools in overrides.yaml',
  ],
  ['CredentialsRequired', 'Unknown', { verdict: { authRequired: true } }, {}, 'without credentials'],
  ['NoProof', 'Unknown', {}, {}, 'nothing in its answers'],
  [
    'NoProof',
    'Unknown',
    { verdict: { health: 'unknown', reason: 'GET / answered 404', fix: 'give its path' } },
    {},
    'GET / answered 404; give its path',
  ],
  ['NotProbed', 'Unknown', { verdict: { health: 'unknown', reason: 'not probed' } }, {}, 'not probed'],
  ['NotProbed', 'Unknown', { verdict: { pending: true, reason: 'not yet' } }, {}, 'not yet'],
  ['NotFound', 'Unknown', {}, { isFound: false }, 'no longer exists'],
];
const HEALTHY: readonly Case<'Healthy'>[] = [
  [
    'HealthPathNotFound',
    'Unknown',
    { verdict: { health: 'unknown', reason: 'GET / answered 404', fix: 'give its path' } },
    {},
    'GET / answered 404; give its path',
  ],
  ['ProbeSucceeded', 'True', {}, {}, 'GET / answered 200'],
  ['CredentialsRequired', 'True', { verdict: { authRequired: true } }, {}, 'GET / answered 200'],
  [
    'FailureThresholdNotReached',
    'True',
    { verdict: { reason: 'kept for now, failure 1' } },
    {},
    'kept for now',
  ],
  ['NoReadyEndpoints', 'False', unhealthy('not_ready'), {}, 'look at the Pods'],
  ['AddressRefused', 'False', unhealthy('refused'), {}, 'addresses of the cluster'],
  ['NameNotResolved', 'False', unhealthy('resolution'), {}, 'DNS'],
  ['ConnectionFailed', 'False', unhealthy('connection'), {}, 'NetworkPolicies'],
  ['TLSFailed', 'False', unhealthy('tls'), {}, 'certificate'],
  [
    'TLSFailed',
    'False',
    { verdict: { health: 'unhealthy', fault: 'tls', reason: 'it requires one', fix: 'write it' } },
    {},
    'it requires one; write it',
  ],
  ['InvalidAnswer', 'False', unhealthy('protocol'), {}, 'port'],
  ['Timeout', 'False', unhealthy('timeout'), {}, 'HEALTH_CHECK_TIMEOUT'],
  ['ErrorAnswer', 'False', unhealthy(), {}, 'it does not; look at its log'],
  [
    'InvalidAnswer',
    'False',
    { verdict: { health: 'unhealthy', proof: 'contradicted', reason: 'GET / answered 200' } },
    {},
    'GET / answered 200; check that the port',
  ],
  ['Unreachable', 'Unknown', { verdict: { health: 'unknown', fault: 'connection' } }, {}, 'network'],
  ['Unreachable', 'Unknown', { verdict: { health: 'unknown', proof: 'proven' } }, {}, 'network'],
  ['NotProbed', 'Unknown', { verdict: { health: 'unknown', reason: 'not probed' } }, {}, 'not probed'],
  ['Unreachable', 'Unknown', {}, { isOutage: true }, 'no backend is reachable'],
  ['Timeout', 'False', unhealthy('timeout'), { isOutage: true }, 'it does not'],
  ['NotFound', 'Unknown', {}, { isFound: false }, 'no longer exists'],
];
const certified = (certificate: NonNullable<Verdict['certificate']>): Found => ({ verdict: { certificate } });
const TRUSTED: readonly Case<'Trusted'>[] = [
  ['CertificateTrusted', 'True', certified('trusted'), {}, 'is valid'],
  [
    'TrustedWithConfiguredCA',
    'True',
    { verdict: { certificate: 'trusted', trustedWith: '/etc/ca.pem' } },
    {},
    'is valid with the CA of /etc/ca.pem; the agent needs it too: HolmesGPT takes it, in base64, from the variable CERTIFICATE',
  ],
  [
    'CertificateTrusted',
    'True',
    { verdict: { certificate: 'trusted', presented: '/etc/client.crt' } },
    {},
    'is valid; the server asked for a client certificate and got that in /etc/client.crt, so the agent may need one, too',
  ],
  ['SelfSigned', 'False', certified('self-signed'), {}, 'self-signed; give its authority to this program'],
  ['UnknownAuthority', 'False', certified('unknown authority'), {}, 'unknown here; give its authority'],
  ['CertificateExpired', 'False', certified('expired'), {}, 'expired; replace'],
  ['CertificateNotYetValid', 'False', certified('not valid yet'), {}, 'not valid yet; replace'],
  ['OtherHostName', 'False', certified('for another host'), {}, 'for another host name than'],
  ['CertificateInvalid', 'False', certified('invalid'), {}, 'is invalid'],
];
const TENANT = { verdict: { tenantRequired: true } };
const TENANT_KNOWN: readonly Case<'TenantKnown'>[] = [
  ['TenantConfigured', 'True', TENANT, {}, 'one is configured'],
  ['NoTenant', 'False', TENANT, omission('tenant'), 'it cannot; configure it'],
  ['NoTenant', 'False', TENANT, { ...UNPUBLISHED, ...omission('tenant') }, 'it cannot; configure it'],
];
const APPROVED: readonly Case<'Approved'>[] = [
  ['ApprovedInOverrides', 'True', {}, approval('approved'), 'because'],
  ['NamespaceTrusted', 'True', {}, approval('trusted'), 'because'],
  ['PolicyPublishes', 'True', {}, approval('published'), 'because'],
  ['WaitingForApproval', 'False', {}, approval('waiting'), 'because'],
  ['RefusedInOverrides', 'False', {}, approval('refused'), 'because'],
  ['ApprovalUnknown', 'Unknown', {}, approval('unknown'), 'because'],
  ['PolicyOff', 'False', {}, approval('off'), 'because'],
  ['ListedByAgent', 'False', {}, approval('listed'), 'because'],
];
const OFF = { switchedOff: 'overrides.yaml switches it off' };
const PUBLISHED: readonly Case<'Published'>[] = [
  ['InToolset', 'True', {}, {}, 'published documents'],
  ['InToolset', 'True', unhealthy(), { hasOwnAddress: true }, 'published documents'],
  ['InToolset', 'True', {}, { hasOwnAddress: true, ...approval('waiting') }, 'published documents'],
  ['NotApproved', 'False', {}, { ...UNPUBLISHED, hasOwnAddress: true, ...approval('waiting') }, 'because'],
  ['NotObserved', 'Unknown', {}, { state: state({ isKnown: false }) }, 'was not read'],
  ['NotYetPublished', 'False', {}, UNPUBLISHED, 'the next publication'],
  [
    'NotYetPublished',
    'False',
    {},
    { ...UNPUBLISHED, ...omission('credentials') },
    'adds it, in toolset.json only: it cannot; configure it',
  ],
  [
    'NotYetPublished',
    'False',
    {},
    { ...UNPUBLISHED, ...cut('agent_tools', SCOPE) },
    'adds it, in toolset.json only: namespace monitoring',
  ],
  ['NotYetPublished', 'False', unhealthy(), { ...UNPUBLISHED, hasOwnAddress: true }, 'the next publication'],
  ['NotYetPublished', 'False', {}, { ...UNPUBLISHED, state: state({ decides: false }) }, 'the leader'],
  [
    'KnownByLeader',
    'Unknown',
    {},
    { state: state({ decides: false }), standing: { leftOutOf: ['custom_toolset.yaml'] } },
    'left out of custom_toolset.yaml; only the leader knows why',
  ],
  [
    'InToolset',
    'True',
    {},
    { state: state({ decides: false }), standing: { leftOutOf: [] } },
    'published documents',
  ],
  ['NotFound', 'False', {}, { ...UNPUBLISHED, isFound: false }, 'did not find it'],
  [
    'NamespaceNotWatched',
    'False',
    unhealthy(),
    { ...UNPUBLISHED, ...OFF, state: state({ watched: ['shop', 'b'] }) },
    'serve watches shop, b only; to have it published, add monitoring to the setting NAMESPACES of serve, which also publishes MCP servers and annotated Services there without approval; even then, this remains: overrides.yaml switches it off',
  ],
  [
    'NamespaceNotWatched',
    'False',
    {},
    { ...UNPUBLISHED, ...approval('waiting'), state: state({ watched: ['shop'] }) },
    'to have it published, set NAMESPACES of serve to * and run dynamic-toolset approve monitoring/loki; adding monitoring by name publishes all MCP servers and annotated Services there without approval',
  ],
  [
    'NamespaceNotWatched',
    'False',
    unhealthy(),
    { ...UNPUBLISHED, ...approval('waiting'), state: state({ watched: ['shop'] }) },
    'without approval; even then, this remains: left out while it is unhealthy: it does not',
  ],
  [
    'NamespaceNotWatched',
    'False',
    {},
    { ...UNPUBLISHED, ...omission('credentials'), state: state({ watched: ['shop'] }) },
    'even then, this remains: in toolset.json only: it cannot; configure it',
  ],
  ['KeptForNow', 'True', {}, { state: state({ watched: ['shop'] }) }, '(NamespaceNotWatched: '],
  ['NotYetPublished', 'False', {}, { ...UNPUBLISHED, state: state({ watched: ['*'] }) }, 'adds it'],
  ['NotYetPublished', 'False', {}, { ...UNPUBLISHED, state: state({ watched: ['monitoring'] }) }, 'adds it'],
  [
    'NotYetPublished',
    'False',
    {},
    { ...UNPUBLISHED, state: state({ watched: 'unknown' }) },
    'adds it, if serve watches namespace monitoring',
  ],
  ['DisabledByOverride', 'False', {}, { ...UNPUBLISHED, ...OFF }, 'switches it off'],
  ['NotApproved', 'False', {}, { ...UNPUBLISHED, ...approval('waiting') }, 'because'],
  ['NotApproved', 'False', {}, { ...UNPUBLISHED, ...approval('off') }, 'because'],
  ['NotApproved', 'False', {}, { ...UNPUBLISHED, ...approval('refused') }, 'because'],
  ['ApprovalUnknown', 'Unknown', {}, { ...UNPUBLISHED, ...approval('unknown') }, 'because'],
  ['ListedByAgent', 'False', {}, { ...UNPUBLISHED, ...approval('listed') }, 'because'],
  ['Unhealthy', 'False', unhealthy(), UNPUBLISHED, 'while it is unhealthy: it does not'],
  ['NotProven', 'False', { verdict: { proof: 'contradicted' } }, UNPUBLISHED, 'GET / answered 200'],
  ['LimitReached', 'False', {}, { ...UNPUBLISHED, ...cut('namespace_tools') }, 'raise MOST'],
  ['LimitReached', 'False', {}, { ...UNPUBLISHED, ...cut('document_bytes') }, 'raise MOST'],
  ['LimitReached', 'False', {}, cut('agent_tools', SCOPE), 'in toolset.json only'],
  ['LimitReached', 'False', {}, cut('agent_bytes', { leftOutOf: 'a.yaml' }), 'left out of a.yaml'],
  ['InToolset', 'True', {}, cut('description_bytes'), 'published documents'],
  ['HeldByRollback', 'False', {}, { ...UNPUBLISHED, state: state({ rollback: 3 }) }, 'revision 3'],
  ['OverridesInvalid', 'False', {}, { ...UNPUBLISHED, state: state({ overrideError: 'line 1' }) }, 'line 1'],
  ['PublicationFailed', 'False', {}, { ...UNPUBLISHED, state: state({ failure: 'denied' }) }, 'denied'],
  ['KeptForNow', 'True', unhealthy(), {}, '(Unhealthy: left out while it is unhealthy'],
  ['KeptForNow', 'True', {}, { isFound: false }, '(NotFound: '],
  ['KeptForNow', 'True', unhealthy(), { state: state({ rollback: 3 }) }, '(HeldByRollback: '],
  ['InToolset', 'True', {}, { state: state({ agentProblem: 'denied' }) }, 'may have earlier ones: denied'],
  ['InToolset', 'True', {}, during({ leftOutOf: [] }), 'it is in the published documents'],
  [
    'InToolset',
    'True',
    {},
    // The documents have it, whatever the inputs would leave out.
    { ...omission('credentials'), ...during({ leftOutOf: [], differently: OTHER }) },
    'it is in the published documents, as the tool other at http://other:1',
  ],
  [
    'HeldByRollback',
    'False',
    {},
    during({ leftOutOf: ['a.yaml'] }),
    'left out of a.yaml: the rollback to revision 3 holds',
  ],
  [
    'HeldByRollback',
    'False',
    {},
    during({ leftOutOf: ['a.yaml'], differently: OTHER }),
    'left out of a.yaml, as the tool other at http://other:1: the rollback',
  ],
  [
    'NeedsCredentials',
    'False',
    {},
    { ...omission('credentials'), ...during({ leftOutOf: ['a.yaml'] }) },
    'in toolset.json only: it cannot',
  ],
  [
    'HeldByRollback',
    'False',
    {},
    { ...UNPUBLISHED, ...during({ instead: OTHER }) },
    '; until then, the documents have the tool other at http://other:1 for this backend',
  ],
  [
    'OverridesInvalid',
    'False',
    {},
    { ...UNPUBLISHED, standing: { instead: OTHER }, state: state({ overrideError: 'line 1' }) },
    '; until then, the documents have the tool other',
  ],
  [
    'KeptForNow',
    'True',
    unhealthy(),
    { ...UNPUBLISHED, ...during({ instead: OTHER }) },
    'for now, as the tool other at http://other:1 (HeldByRollback: ',
  ],
  ['NeedsCredentials', 'False', {}, omission('credentials'), 'in toolset.json only: it cannot; configure'],
  ['NeedsTenant', 'False', {}, omission('tenant'), 'in toolset.json only: it cannot; configure'],
  ['NotSupportedByAgent', 'True', {}, omission('unsupported'), 'in toolset.json only: it cannot'],
  ['ListedByAgent', 'False', {}, omission('listed'), 'in toolset.json only: it cannot'],
  ['DisabledByAgent', 'False', {}, omission('removed'), 'in toolset.json only: it cannot'],
];

const title = '%s is %s';
test.each(DETECTED)(`Detected: ${title}`, (...expected) => check('Detected', expected));
test.each(PROVEN)(`Proven: ${title}`, (...expected) => check('Proven', expected));
test.each(HEALTHY)(`Healthy: ${title}`, (...expected) => check('Healthy', expected));
test.each(TRUSTED)(`Trusted: ${title}`, (...expected) => check('Trusted', expected));
test.each(TENANT_KNOWN)(`TenantKnown: ${title}`, (...expected) => check('TenantKnown', expected));
test.each(APPROVED)(`Approved: ${title}`, (...expected) => check('Approved', expected));
test.each(PUBLISHED)(`Published: ${title}`, (...expected) => check('Published', expected));

function check<T extends ConditionType>(type: T, [reason, status, found, facts, message]: Case<T>): void {
  const [is, why, text] = conditionOf(type, found, facts);
  expect([is, why]).toEqual([status, reason]);
  expect(text).toContain(message);
  expect(text).not.toContain('undefined');
}

const certaintyReasons = (): string[] =>
  CERTAINTIES.map((certainty) => conditionOf('Detected', { certainty }, {})[1] ?? '');

test('each certainty of detection has its own reason', () => {
  expect(new Set(certaintyReasons()).size).toBe(CERTAINTIES.length);
});

test('a backend whose kind needs no approval lacks that condition, and the others keep their order', () => {
  expect(findingsOf(LOKI, FACTS).map(({ type }) => type)).toEqual([
    'Detected',
    'Proven',
    'Healthy',
    'Published',
  ]);
});

test('whether the tenant of a backend is known is unknown until it is published', () => {
  const found = { ...LOKI, verdict: { ...LOKI.verdict, tenantRequired: true } };
  const types = findingsOf(found, { ...FACTS, ...UNPUBLISHED }).map(({ type }) => type);
  expect(types).not.toContain('TenantKnown');
});

test('a disabled backend has only that reason, even if it is unhealthy as well', () => {
  const facts = { ...UNPUBLISHED, ...OFF, state: state({ rollback: 3 }) };
  expect(conditionOf('Published', unhealthy(), facts)[1]).toBe('DisabledByOverride');
});

/** Two tools of a namespace, all that it has, are lost. */
const LOST = ['loki', 'other'].map((tool) => ({
  ...{ tool, namespace: 'monitoring', service: `monitoring/${tool}`, cause: 'unhealthy' as const },
}));
const HOLD = 300_000;
const { note: NOTE } = removals(
  LOST,
  new Map([['monitoring', 2]]),
  undefined,
  Date.parse('2026-01-01T00:00:00Z'),
  { hold: HOLD, once: false },
);
const HELD: Partial<Facts> = { tool: 'loki', state: state({ heldRemovals: { note: NOTE, hold: HOLD } }) };

test.each<[string, Found, Partial<Facts>, RegExp]>([
  ['an unhealthy one', unhealthy(), {}, /; it stays until 2026-01-01T00:05:00Z at the latest, because most/],
  [
    'one without ready Pods',
    unhealthy('not_ready'),
    {},
    /; it stays until 2026-01-01T00:00:15Z at the latest,/,
  ],
  ['one that is gone', {}, { isFound: false }, /; it stays until 2026-01-01T00:05:00Z, because .* kubernaut/],
  ['another one', unhealthy(), { tool: 'third' }, /does not\)$/],
  ['one that people switch off', {}, OFF, /switches it off\)$/],
  ['one in a rollback', unhealthy(), { state: { ...STATE, ...HELD.state, rollback: 3 } }, /--end\)$/],
])('the message of a held backend says until when it stays: %s', (_, found, facts, message) => {
  expect(conditionOf('Published', found, { ...HELD, ...facts })[2]).toMatch(message);
});

test.each<[string, string | undefined, boolean]>([
  ['is new', '2026-01-01T00:00:00Z', false],
  ['has existed for long', '2025-01-01T00:00:00Z', true],
  ['has an unknown age', undefined, false],
])('to a command, the next publication is uncertain if the Service %s', (_, created, isOverdue) => {
  const asked = { at: Date.parse('2026-01-01T00:01:00Z'), seeEvents: 'kubectl events' };
  const own = { ...LOKI.service, ...(created === undefined ? {} : { created }) };
  const message = conditionOf('Published', { service: own }, { ...UNPUBLISHED, state: state({ asked }) })[2];
  expect(message).toMatch(/^the next publication adds it/);
  expect(message?.endsWith('serve cannot publish, and its log and its Events say why: kubectl events')).toBe(
    isOverdue,
  );
});

test('annotations about the publication apply only to the watched backends', () => {
  const annotations = {
    'kubernaut.io/removal-held': 'since',
    'kubernaut.io/override-error': 'line 1',
    'kubernaut.io/rolled-back-to': '3',
    'kubernaut.io/rolled-back-from': 'sha256:1',
    other: 'x',
  };
  const watched = Object.fromEntries(
    Object.entries(annotations).filter(([name]) => STATE_ANNOTATIONS.includes(name)),
  );
  // While a rollback holds, no hold ends.
  expect(publicationState(watched)).toEqual({ rollback: 3, overrideError: 'line 1' });
  expect(publicationState(annotations)).toEqual(publicationState(watched));
  const { 'kubernaut.io/rolled-back-from': _, ...held } = annotations;
  expect(publicationState(held)).toEqual({
    rollback: undefined,
    overrideError: 'line 1',
    heldRemovals: { note: 'since', hold: undefined },
  });
  expect(publicationState()).toEqual({ rollback: undefined, overrideError: undefined });
});

test('every reason has a case', () => {
  const cases = {
    Detected: DETECTED,
    Proven: PROVEN,
    Healthy: HEALTHY,
    TenantKnown: TENANT_KNOWN,
    Trusted: TRUSTED,
    Approved: APPROVED,
    Published: PUBLISHED,
  };
  for (const [type, reasons] of Object.entries(CONDITION_REASONS)) {
    const covered: readonly string[] = cases[type as ConditionType].map(([reason]) => reason);
    const certainties = type === 'Detected' ? certaintyReasons() : [];
    expect(new Set([...covered, ...certainties]), type).toEqual(new Set(reasons));
  }
});
