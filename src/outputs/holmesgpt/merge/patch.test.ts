import { describe, expect, test } from 'vitest';
import type { Mapping } from '../../../model/mapping.ts';
import { holmesFaults } from '../contract/contract.ts';
import type { HolmesPatch } from '../overrides.ts';
import { dropInvalidEntries, patchFaults, withPatch } from './patch.ts';

const LOKI = { enabled: true, config: { api_url: 'http://loki:3100' } };
const GENERATED = { toolsets: { 'kubernetes/core': { enabled: true }, 'grafana/loki': LOKI } };

describe('an override', () => {
  test('is merged if HolmesGPT accepts it, without a note', () => {
    const patch: HolmesPatch = {
      toolsets: { 'grafana/loki': { config: { timeout_seconds: 5 } } },
    };
    const { document, notes } = withPatch(GENERATED, patch);
    expect(document).toMatchObject({ toolsets: { 'grafana/loki': { config: { timeout_seconds: 5 } } } });
    expect(notes).toEqual([]);
  });

  test('is left out, entry by entry, if HolmesGPT would reject it, with the field and what to do', () => {
    const patch: HolmesPatch = {
      toolsets: { 'grafana/loki': { config: { max_retries: 'many' } }, 'kubernetes/logs': { enabled: true } },
      mcp_servers: { weather: { description: 'without a URL' } },
    };
    const { document, notes } = withPatch(GENERATED, patch);
    expect(document).toEqual({ toolsets: { ...GENERATED.toolsets, 'kubernetes/logs': { enabled: true } } });
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, holmesgpt.toolsets grafana/loki',
        what: expect.stringMatching(/is not merged.*config\.max_retries: must be a whole number/),
        fix: expect.any(String),
      },
      expect.objectContaining({ where: 'overrides.yaml, holmesgpt.mcp_servers weather' }),
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['enabled', { enabled: false }],
    ['approval_required_tools', { approval_required_tools: ['*'] }],
    ['enabled and approval_required_tools', { enabled: false, approval_required_tools: [] }],
  ])('keeps what it forbids although the rest of it is rejected: %s', (fields, restriction) => {
    const server = { description: 'd', config: { url: 'http://orders/mcp' } };
    const generated = { ...GENERATED, mcp_servers: { orders: server } };
    const wrong = { ...restriction, bogus: 1 };
    const { document, notes } = withPatch(generated, {
      toolsets: { 'grafana/loki': wrong },
      mcp_servers: { orders: wrong },
    });
    expect(document).toEqual({
      toolsets: { ...GENERATED.toolsets, 'grafana/loki': { ...LOKI, ...restriction } },
      mcp_servers: { orders: { ...server, ...restriction } },
    });
    expect(notes.map(({ what }) => what)).toEqual([
      expect.stringContaining(`is not merged, except for ${fields}, because`),
      expect.stringContaining(`is not merged, except for ${fields}, because`),
    ]);
  });

  test.each([['*', 5], '*', [{}], 7, {}])(
    'an unreadable list of tools to ask before means all of them: %j',
    (asks) => {
      const { document, notes } = withPatch(GENERATED, {
        toolsets: { 'grafana/loki': { enabled: false, approval_required_tools: asks } },
      });
      expect(document).toEqual({
        toolsets: {
          ...GENERATED.toolsets,
          'grafana/loki': { ...LOKI, enabled: false, approval_required_tools: ['*'] },
        },
      });
      expect(notes).toHaveLength(1);
    },
  );

  test.each([false, 'false', 'no', 'OFF', 0, 'n', 'flase', {}])(
    'switches off in any spelling, and if it is unreadable: %j',
    (enabled) => {
      const { document } = withPatch(GENERATED, { toolsets: { 'grafana/loki': { enabled, type: 7 } } });
      expect(document).toEqual({
        toolsets: { ...GENERATED.toolsets, 'grafana/loki': { ...LOKI, enabled: false } },
      });
    },
  );

  test.each<[string, Mapping, string | undefined]>([
    ['alertmanager', { enabled: false }, undefined],
    [
      'alertmanager',
      { llm_instructions: 'Ask it first.' },
      'for a toolset of your own, write its type, or its tools',
    ],
    ['grafana/lokii', { enabled: false }, 'did you mean grafana/loki?'],
  ])('that changes a toolset without backends has one note, with the reason: %s %j', (name, entry, fix) => {
    const { document, notes } = withPatch(GENERATED, {
      toolsets: { [name]: entry, internet: { enabled: false } },
    } as HolmesPatch);
    expect(document).toEqual({ toolsets: { ...GENERATED.toolsets, internet: { enabled: false } } });
    expect(notes).toEqual([
      {
        where: `overrides.yaml, holmesgpt.toolsets ${name}`,
        what: 'changes nothing now: no backend of this toolset is discovered, and HolmesGPT 0.45.0 has no built-in toolset of this name',
        ...(fix === undefined ? {} : { fix }),
      },
    ]);
  });

  test('is left out where nothing is left of it', () => {
    const { document, notes } = withPatch(GENERATED, {
      toolsets: { 'grafana/loki': { enabled: true, approval_required_tools: null, bogus: 1 } },
    });
    expect(document).toEqual(GENERATED);
    expect(notes).toHaveLength(1);
  });

  test('is merged and reported if HolmesGPT ignores it', () => {
    const patch: HolmesPatch = { toolsets: { 'grafana/loki': { config: { timeout: 5 } } } };
    const { document, notes } = withPatch(GENERATED, patch);
    expect(document).toMatchObject({ toolsets: { 'grafana/loki': { config: { timeout: 5 } } } });
    expect(notes.map(({ what }) => what)).toEqual([expect.stringMatching(/config\.timeout: .*ignores/)]);
  });

  test.each<[string, unknown, string]>([
    ['a flat configuration', { api_url: 'http://mine', timeout: 5 }, 'config.timeout: '],
    [
      'an instance of theirs, wherever it stands in the document',
      {
        instances: [
          { name: 'b', api_url: 'http://b' },
          { name: 'a', api_url: 'http://a', timeout: 5 },
        ],
      },
      'config.instances.1.timeout: ',
    ],
  ])('is reported with its place in the text: %s', (_, config, place) => {
    const generated = {
      toolsets: {
        'grafana/loki': {
          enabled: true,
          config: { instances: [{ name: 'found', api_url: 'http://loki:3100' }] },
        },
      },
    };
    const patch = { toolsets: { 'grafana/loki': { config } } } as HolmesPatch;
    expect(withPatch(generated, patch).notes.map(({ what }) => what)).toEqual([
      expect.stringContaining(`of it: ${place}`),
    ]);
  });

  test('that has the name of a generated entry in the other section is left out', () => {
    const patch: HolmesPatch = {
      mcp_servers: { 'grafana/loki': { config: { url: 'http://a/sse' } } },
    };
    expect(withPatch(GENERATED, patch).document).toEqual(GENERATED);
  });

  test.each<HolmesPatch>([
    { toolsets: { 'kubernetes/core': null, 'grafana/loki': null } },
    { toolsets: { 'kubernetes/core': null, 'grafana/loki': null, nothing: { description: 'd' } } },
  ])('that leaves no toolset at all is not merged: %j', (patch) => {
    const { document, notes } = withPatch(GENERATED, patch);
    expect(document).toEqual(GENERATED);
    expect(notes.at(-1)).toMatchObject({ where: 'overrides.yaml, holmesgpt' });
  });
});

describe('a generated entry that HolmesGPT would reject', () => {
  test.each<[string, Record<string, unknown>]>([
    ['an unknown toolset', { 'grafana/lokki': LOKI }],
    ['a dot in a key', { 'elasticsearch/data': { enabled: true, config: { 'a.b': 'c' } } }],
    ['a field that is missing', { 'elasticsearch/data': { enabled: true, config: { url2: 'c' } } }],
  ])('%s: it is left out and reported, and the others stay', (_, toolsets) => {
    const { document, notes } = dropInvalidEntries(
      { toolsets: { ...GENERATED.toolsets, ...toolsets } },
      () => undefined,
    );
    expect(document).toEqual(GENERATED);
    expect(notes).toEqual([
      expect.objectContaining({
        where: `custom_toolset.yaml, toolsets ${Object.keys(toolsets)[0]}`,
        what: expect.stringMatching(/^is left out/),
      }),
    ]);
    expect(holmesFaults(document)).toEqual([]);
  });
});

test.each<[HolmesPatch, number]>([
  [{}, 0],
  [{ toolsets: { 'grafana/loki': { config: { timeout_seconds: 5 } } } }, 0],
  [{ toolsets: { mine: { type: 'http', config: { endpoints: [] } } } }, 1],
  [{ toolsets: { mine: { description: 'd', tools: [{ name: 'a', description: 'b' }] } } }, 1],
  [{ mcp_servers: { mine: { config: { url: 'none' } } } }, 1],
])('rejected on its own: %j', (patch, count) => {
  expect(patchFaults(patch)).toHaveLength(count);
});
