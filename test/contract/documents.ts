/** An entry below `toolsets:`. */
const toolset = (name: string, entry: string): string => `toolsets:\n  ${name}: ${entry}\n`;
const builtIn = (name: string, config: string): string =>
  toolset(name, `{ enabled: true, config: ${config} }`);
const server = (entry: string): string => `mcp_servers:\n  weather: ${entry}\n`;
const http = (config: string): string => toolset('mine', `{ type: http, config: ${config} }`);
const endpoint = (fields: string): string => http(`{ endpoints: [{ ${fields} }] }`);
const own = (fields: string): string => toolset('mine/curl', `{ description: d, ${fields} }`);

/** Documents that HolmesGPT loads whole. */
export const GOOD: Readonly<Record<string, string>> = {
  'a built-in toolset': toolset('kubernetes/core', '{ enabled: true }'),
  'one that is switched off, whatever its configuration': toolset(
    'grafana/loki',
    '{ enabled: false, config: { x: 1 } }',
  ),
  'one instance, flat': builtIn('prometheus/metrics', '{ prometheus_url: "http://a:9090" }'),
  'several instances': builtIn(
    'prometheus/metrics',
    '{ verify_ssl: false, instances: [{ name: a, prometheus_url: "http://a" }, { prometheus_url: "http://b" }] }',
  ),
  'a Prometheus of Amazon': builtIn(
    'prometheus/metrics',
    '{ aws_region: eu-west-1, prometheus_url: "http://a" }',
  ),
  'a field that does not exist': builtIn('prometheus/metrics', '{ prometheus_url: "http://a", endpoint: b }'),
  'old names of fields': builtIn('grafana/loki', '{ url: "http://a", headers: { X-Scope-OrgID: a } }'),
  'Loki by itself': builtIn('grafana/loki', '{ api_url: "http://a" }'),
  'Loki by Grafana': builtIn(
    'grafana/loki',
    '{ api_url: "http://a", api_key: k, grafana_datasource_uid: u }',
  ),
  'numbers and truth values as texts': builtIn(
    'grafana/tempo',
    '{ api_url: "http://a", timeout_seconds: "7", verify_ssl: "off", max_retries: 2.0 }',
  ),
  'truth values of YAML 1.1': builtIn('elasticsearch/data', '{ api_url: "http://a", verify_ssl: no }'),
  'a variable where a number is wanted': builtIn(
    'elasticsearch/data',
    '{ api_url: "{{ env.ES_URL }}", timeout_seconds: "{{ env.ES_TIMEOUT }}" }',
  ),
  'options that instances share': builtIn(
    'victorialogs',
    '{ timeout_seconds: 7, instances: [{ name: a, api_url: "http://a", bearer_token: t }] }',
  ),
  'brokers of Kafka': builtIn('kafka/admin', '{ clusters: [{ name: a, broker: "b:9092" }] }'),
  'brokers by old names': builtIn('kafka/admin', '{ kafka_clusters: [{ name: a, kafka_broker: "b:9092" }] }'),
  'a RabbitMQ': builtIn('rabbitmq/core', '{ clusters: [{ api_url: "http://a", username: u, password: p }] }'),
  'labels of Tempo': builtIn('grafana/tempo', '{ api_url: "http://a", labels: { pod: p } }'),
  'a configuration where none is taken': builtIn('kubernetes/core', '{ a: b }'),
  'one that is on by itself': toolset('bash', '{ config: { allow: [ls] } }'),
  'one that stays off, whatever its configuration': toolset('grafana/loki', '{ config: { x: 1 } }'),
  'an old name': toolset('runbook', '{ enabled: true }'),
  'HTTP endpoints': endpoint(
    'hosts: ["http://a:1", "*.b.c", "[::1]:80", "https://d:*/x"], methods: [get, POST], paths: ["/a/*"]',
  ),
  'an HTTP endpoint with a token': endpoint('hosts: [a], auth: { type: bearer, token: t }'),
  'an HTTP endpoint with an own header': endpoint('hosts: [a], auth: { type: header, name: n, value: v }'),
  'an MCP server': server('{ config: { url: "http://a/mcp", mode: streamable-http } }'),
  'an MCP server with an unknown field': server(
    '{ description: d, config: { url: "http://a/sse", extra: 1 } }',
  ),
  'an MCP server with its URL beside': server('{ url: "http://a/sse" }'),
  'an MCP server that is a program': server(
    '{ config: { mode: stdio, command: npx, args: [a, b], env: { A: b } } }',
  ),
  'an MCP server below toolsets': toolset('weather', '{ type: mcp, config: { url: "http://a/sse" } }'),
  'a toolset of commands': own('tools: [{ name: t, description: d, command: "curl {{ url }}" }]'),
  'a toolset of scripts': own(
    'prerequisites: [{ command: "true" }, { env: [] }], tools: [{ name: t, description: d, script: s, parameters: { a: { type: string, required: false } } }]',
  ),
  'a database': toolset(
    'orders',
    '{ type: database, subtype: mysql, config: { connection_url: "mysql://a/b" } }',
  ),
  'a MongoDB': toolset('stock', '{ type: mongodb, config: { connection_url: "mongodb://a" } }'),
  'a field that has no effect any more': toolset(
    'kubernetes/core',
    '{ enabled: true, restricted_tools: [a] }',
  ),
  'other keys beside': `${toolset('kubernetes/core', '{ enabled: true }')}model: gpt\n`,
  'words that YAML 1.1 takes for something else, in quotes': own(
    'llm_instructions: "no", tools: [{ name: "yes", description: "1:30", command: "on" }]',
  ),
};

/** Documents that HolmesGPT refuses, or of which an entry fails or does nothing. */
export const BAD: Readonly<Record<string, string>> = {
  'an empty file': '',
  'a text': 'hello',
  'a list': '- a\n',
  'no section': 'model: gpt\n',
  'empty sections': 'toolsets: {}\nmcp_servers: {}\n',
  'a section that is nothing': `toolsets:\n${server('{ url: "http://a" }')}`,
  'a section that is a list': 'toolsets: [a]\n',
  'an entry that is nothing': 'toolsets:\n  kubernetes/core:\n',
  'an entry that is a text': toolset('kubernetes/core', 'yes please'),
  'a dot in the name of an entry': toolset('a.b', '{ enabled: true }'),
  'a dot in a key, deep down': builtIn(
    'prometheus/metrics',
    '{ additional_labels: { app.kubernetes.io/name: a } }',
  ),
  'YAML that is not': 'toolsets: [\n',
  'an unknown name': toolset('loki', '{ enabled: true, config: { api_url: "http://a" } }'),
  'a name in other letters': toolset('Prometheus/Metrics', '{ enabled: true }'),
  'a toolset of nothing': own('enabled: true'),
  'tools that are empty': own('tools: []'),
  'tools that are nothing': toolset('kubernetes/core', '{ enabled: true, tools: }'),
  'an unknown field of an entry': toolset('prometheus/metrics', '{ enabled: true, endpoint: "http://a" }'),
  'an unknown type': toolset('mine', '{ type: prometheus, description: d }'),
  'a field of another type': toolset('kubernetes/core', '{ enabled: perhaps }'),
  'a description that YAML 1.1 takes for a truth value': toolset(
    'kubernetes/core',
    '{ enabled: true, description: no }',
  ),
  'a date for a text': toolset('kubernetes/core', '{ enabled: true, description: 2024-01-01 }'),
  'an interval of nothing': toolset(
    'kubernetes/core',
    '{ enabled: true, status_refresh_interval_seconds: 0 }',
  ),
  'an unknown tag': toolset('kubernetes/core', '{ enabled: true, tags: [server] }'),
  'a number for a URL': builtIn('prometheus/metrics', '{ prometheus_url: 5 }'),
  'a bad configuration of one that is on by itself': toolset('bash', '{ config: { allow: 5 } }'),
  'Loki without a URL': builtIn('grafana/loki', '{ api_key: k }'),
  'no configuration where one is needed': toolset('grafana/loki', '{ enabled: true }'),
  'a configuration that is a text': builtIn('grafana/loki', '"http://a"'),
  'a login beside a token': builtIn(
    'grafana/loki',
    '{ api_url: "http://a", api_key: k, username: u, password: p }',
  ),
  'a user without a password': builtIn('victorialogs', '{ api_url: "http://a", username: u }'),
  'a certificate without its key': builtIn('elasticsearch/data', '{ api_url: "http://a", client_cert: c }'),
  'no time at all': builtIn('grafana/tempo', '{ api_url: "http://a", timeout_seconds: 0 }'),
  'half a second': builtIn('grafana/tempo', '{ api_url: "http://a", timeout_seconds: 1.5 }'),
  'instances that are no list': builtIn('prometheus/metrics', '{ instances: { a: b } }'),
  'an instance that is a text': builtIn('prometheus/metrics', '{ instances: [a] }'),
  'two instances of one name': builtIn(
    'prometheus/metrics',
    '{ instances: [{ name: a, prometheus_url: "http://a" }, { name: a, prometheus_url: "http://b" }] }',
  ),
  'one bad instance of two': builtIn(
    'grafana/loki',
    '{ instances: [{ name: a, api_url: "http://a" }, { name: b }] }',
  ),
  'Amazon without a URL': builtIn('prometheus/metrics', '{ aws_region: eu-west-1 }'),
  'Kafka without brokers': builtIn('kafka/admin', '{ clusters: [] }'),
  'a broker without an address': builtIn('kafka/admin', '{ clusters: [{ name: a }] }'),
  'Notion without headers': toolset('notion', '{ enabled: true }'),
  'HTTP without endpoints': http('{ endpoints: [] }'),
  'HTTP without a configuration': toolset('mine', '{ type: http }'),
  'an endpoint without hosts': endpoint('hosts: []'),
  'a method that is none': endpoint('hosts: [a], methods: [FETCH]'),
  'a host of another scheme': endpoint('hosts: ["ftp://a"]'),
  'a host with a star inside': endpoint('hosts: ["a.*.b"]'),
  'a host with an impossible port': endpoint('hosts: ["a:70000"]'),
  'a token that is not there': endpoint('hosts: [a], auth: { type: bearer }'),
  'a kind of login that is none': endpoint('hosts: [a], auth: { type: kerberos }'),
  'an icon for an HTTP toolset': toolset(
    'mine',
    '{ type: http, icon_url: "http://a", config: { endpoints: [{ hosts: [a] }] } }',
  ),
  'tools for an HTTP toolset': toolset(
    'mine',
    '{ type: http, tools: [], config: { endpoints: [{ hosts: [a] }] } }',
  ),
  'an MCP server without a configuration': server('{ description: d }'),
  'an MCP server without a URL': server('{ config: { mode: streamable-http } }'),
  'an MCP server with what is no URL': server('{ config: { url: weather } }'),
  'an unknown mode': server('{ config: { url: "http://a", mode: http } }'),
  'a program without a command': server('{ config: { mode: stdio, url: "http://a" } }'),
  'a header that is a list': server('{ config: { url: "http://a", headers: { A: [b] } } }'),
  'a tool without a command': own('tools: [{ name: t, description: d }]'),
  'a tool without a name': own('tools: [{ description: d, command: c }]'),
  'a name inside an entry': own('name: x, tools: [{ name: t, description: d, command: c }]'),
  'a database of no kind': toolset(
    'orders',
    '{ type: database, subtype: oracle, config: { connection_url: "a://b" } }',
  ),
  'a database without an address': toolset('orders', '{ type: database, config: {} }'),
};

/** Documents that HolmesGPT loads without a word, and in which a part has no effect that people must have meant. */
export const STRICTER: Readonly<Record<string, string>> = {
  'one name in both sections': `${toolset('weather', '{ type: http, config: { endpoints: [{ hosts: [a] }] } }')}${server('{ config: { url: "http://a/sse" } }')}`,
  'credentials that each instance would receive': builtIn(
    'victorialogs',
    '{ username: u, password: p, instances: [{ name: a, api_url: "http://a", bearer_token: t }] }',
  ),
  'headers that each instance would receive': builtIn(
    'prometheus/metrics',
    '{ additional_headers: { Authorization: "Bearer {{ env.TOKEN }}" }, instances: [{ prometheus_url: "http://a" }] }',
  ),
  'a key twice': 'toolsets:\n  kubernetes/core: { enabled: true }\n  kubernetes/core: { enabled: false }\n',
};
