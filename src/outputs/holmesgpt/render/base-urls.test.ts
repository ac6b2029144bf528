import { expect, test } from 'vitest';
import { joinDocuments } from '../merge/join.ts';
import { baseUrlsOf, urlLine, withBaseUrls } from './base-urls.ts';

const EVIL = 'http://jaeger.evil.svc.cluster.local:16686';
const TEXT = withBaseUrls('Ask it for traces.\n', [
  urlLine(`${EVIL}/jaeger`, ' (jaeger.evil)'),
  urlLine('http://jaeger.shop:16686', ' (jaeger.shop)'),
]);

test('instructions name the current endpoints, hand-written ones first', () => {
  expect(baseUrlsOf(TEXT, [{ hosts: ['http://mine', 7] }, { hosts: ['http://jaeger.shop:16686'] }, {}])).toBe(
    'Ask it for traces.\nBase URLs:\n- http://mine\n- http://jaeger.shop:16686 (jaeger.shop)\n',
  );
  expect(baseUrlsOf('a person’s own words', [{ hosts: ['http://mine'] }])).toBe('a person’s own words');
});

/** The instructions of a generated toolset that a person's is joined to. */
function instructions(handWritten: Record<string, unknown>): unknown {
  const generated = {
    type: 'http',
    llm_instructions: TEXT,
    config: { endpoints: [{ hosts: [EVIL], paths: ['/api/*'] }, { hosts: ['http://jaeger.shop:16686'] }] },
  };
  const { document } = joinDocuments(
    { toolsets: { jaeger: generated } },
    { toolsets: { jaeger: handWritten } },
    { holmesgptVersion: '0.32', standsAlone: false },
  );
  return (document.toolsets as { readonly jaeger: Record<string, unknown> }).jaeger.llm_instructions;
}

test('a backend that a hand-written one replaces is not named to the model, but the hand-written one is', () => {
  const endpoints = [{ hosts: ['http://mine'] }];
  const config = { default_headers: { Authorization: '{{ env.J }}' }, endpoints };
  expect(instructions({ config })).toBe('Ask it for traces.\nBase URLs:\n- http://mine\n');
  expect(instructions({ config: { endpoints } })).toContain('- http://mine\n- http://jaeger.evil');
  expect(instructions({ config, llm_instructions: 'mine' })).toBe('mine');
});
