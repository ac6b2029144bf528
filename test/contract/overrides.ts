/** Texts that somebody may write to do harm, or by accident. */
export const WORDS = [
  'yes',
  'No',
  'on',
  '=',
  '~',
  'null',
  '1:30',
  '2024-01-01',
  '0x1F',
  '1e3',
  '.inf',
  '012',
  '<<',
  '- a',
  'a: b',
  '#a',
  '!!str a',
  '{{ env.HOME }}',
  '{% raw %}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: HolmesGPT puts in such a variable
  '${HOME}',
  '\'"`|>&*%@',
  'x"\n  evil: { enabled: true }\n',
  'a\tb',
  'a\u2028b',
  '\ufeffa',
  '😀',
];
const tool = (type: string, word = 'mine') => ({
  type,
  endpoint: 'https://backend.example:8443/base',
  description: word,
  namespace: 'a',
});

/** What people may write in `overrides.yaml`. */
export interface Written {
  readonly text: unknown;
  /** How many entries of it must not be merged. */
  readonly refused?: number;
  /** Entries that it switches off. */
  readonly off?: readonly string[];
}

/**
 * Each kind of override.
 * @param types of backends that there are
 * @param tools names of what was discovered
 */
export function overridesOf(
  types: readonly string[],
  tools: readonly string[],
): Readonly<Record<string, Written>> {
  return {
    'own tools of each type': {
      text: { tools: Object.fromEntries(types.map((type) => [`own.${type}`, tool(type)])) },
    },
    'an own tool of no known type': { text: { tools: { 'own.shop': tool('shop') } } },
    'own tools with words that mean something in YAML': {
      text: {
        tools: Object.fromEntries(
          WORDS.map((word, index) => [`own-${index}`, tool(index % 2 === 0 ? 'jaeger' : 'mcp', word)]),
        ),
      },
    },
    'an own MCP server over SSE': {
      text: { tools: { weather: { ...tool('mcp'), endpoint: 'http://weather.example/sse' } } },
    },
    'every field of every tool': {
      text: {
        tools: Object.fromEntries(
          tools.map((name) => [
            name,
            { endpoint: 'http://x.example:1/a', description: '=', namespace: 'b', metadata: { 'a.b': 'c' } },
          ]),
        ),
      },
    },
    'another type for every tool': {
      text: {
        tools: Object.fromEntries(
          tools.map((name, index) => [
            name,
            { type: types[index % types.length], endpoint: 'http://x.example:1' },
          ]),
        ),
      },
    },
    'every tool left out': {
      text: { tools: Object.fromEntries(tools.map((name) => [name, { enabled: false }])) },
    },
    'a field of a generated entry': {
      text: { holmesgpt: { toolsets: { 'grafana/loki': { config: { timeout_seconds: 7 } } } } },
    },
    'a generated entry switched off': {
      text: { holmesgpt: { toolsets: { 'prometheus/metrics': { enabled: false } } } },
      off: ['prometheus/metrics'],
    },
    'a generated entry taken out': { text: { holmesgpt: { toolsets: { 'prometheus/metrics': null } } } },
    'an own built-in toolset': {
      text: {
        holmesgpt: {
          toolsets: {
            'datadog/logs': {
              enabled: true,
              config: { api_key: '{{ env.DD_KEY }}', app_key: 'a', api_url: 'https://api.datadoghq.eu' },
            },
          },
        },
      },
    },
    'an own toolset of commands': {
      text: {
        holmesgpt: {
          toolsets: {
            'mine/curl': {
              description: 'yes',
              tools: [{ name: 't', description: 'no', command: 'curl {{ url }}' }],
            },
          },
        },
      },
    },
    'an own HTTP toolset, MCP server and database': {
      text: {
        holmesgpt: {
          toolsets: {
            mine: { type: 'http', config: { endpoints: [{ hosts: ['a.example'] }] } },
            orders: { type: 'database', config: { connection_url: 'mysql://a/b' } },
          },
          mcp_servers: { mine2: { config: { url: 'http://a/mcp', mode: 'streamable-http' } } },
        },
      },
    },
    'a bad field of a generated entry': {
      text: { holmesgpt: { toolsets: { 'grafana/loki': { config: { instances: 'all' } } } } },
      refused: 1,
    },
    'an unknown field of a generated entry': {
      text: { holmesgpt: { toolsets: { jaeger: { colour: 'red' } } } },
      refused: 1,
    },
    'an unknown name': {
      text: {
        holmesgpt: {
          toolsets: { loki: { enabled: true, config: {} }, 'kubernetes/logs': { enabled: true } },
        },
      },
      refused: 1,
    },
    'a toolset of nothing': {
      text: { holmesgpt: { toolsets: { nothing: { description: 'd' } } } },
      refused: 1,
    },
    'an MCP server without a URL': {
      text: { holmesgpt: { mcp_servers: { mine: { description: 'd' } } } },
      refused: 1,
    },
    'the name of a toolset for an MCP server': {
      text: { holmesgpt: { mcp_servers: { jaeger: { config: { url: 'http://a/sse' } } } } },
      // A person's entry takes the place of the generated toolset.
      refused: 0,
    },
  };
}
