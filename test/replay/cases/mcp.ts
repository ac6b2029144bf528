import { type Handler, send, serving, text, to } from '../answers.ts';
import { type Case, type Kind, labels, port } from '../case.ts';
import { mcpServer, pythonHostCheck, sseServer, typescriptHostCheck } from '../products/mcp.ts';

/** One server behind one Service, by hand. */
const byHand = (serves: Handler, name = 'orders-mcp'): Pick<Case, 'services' | 'pods'> => ({
  services: [{ name, selector: { app: name }, ports: [port('http', 8000, 8000)] }],
  pods: [{ name: `${name}-0`, labels: { app: name }, ports: [{ number: 8000, serves }] }],
});

const SPEC = 'https://modelcontextprotocol.io/specification/2025-06-18/basic/transports';
const REFUSED = { proven: 'NoProof', healthy: 'ErrorAnswer', published: 'Unhealthy' } as const;
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
/** The API server passes on the host name of its own URL, which is an address of the loopback interface here. */
const isLocal = (host: string): boolean => LOOPBACK.test(host) && !host.includes('127.0.0.1');

export const MCP: Kind = {
  title: '6, MCP servers',
  cases: [
    {
      name: 'at /mcp, with event streams',
      source: SPEC,
      ...byHand(mcpServer({ streams: true })),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/mcp' } },
        holmes: ['mcp/streamable-http http://orders-mcp:8000/mcp'],
      },
    },
    {
      name: 'at /mcp/, to which /mcp leads with 307',
      source: 'https://github.com/modelcontextprotocol/python-sdk/issues/1168 (Starlette redirects slashes)',
      ...byHand(mcpServer({ at: '/mcp/', elsewhere: { '/mcp': to('/mcp/', 307) } })),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/mcp' } },
        holmes: ['mcp/streamable-http http://orders-mcp:8000/mcp'],
      },
    },
    {
      name: 'at /mcp/ only',
      source: 'https://gofastmcp.com/deployment/http (path="/mcp/")',
      ...byHand(mcpServer({ at: '/mcp/' })),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/mcp/' } },
        holmes: ['mcp/streamable-http http://orders-mcp:8000/mcp/'],
      },
    },
    {
      name: 'at the root',
      source: 'https://github.com/containers/kubernetes-mcp-server; many gateways serve at /',
      ...byHand(mcpServer({ at: '/', streams: true })),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000' } },
        holmes: ['mcp/streamable-http http://orders-mcp:8000'],
      },
    },
    {
      name: 'with SSE only, the endpoint as a path',
      source: 'https://modelcontextprotocol.io/specification/2024-11-05/basic/transports',
      ...byHand(sseServer('event: endpoint\ndata: /messages/?session_id=4b1d\n\n')),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/sse' } },
        holmes: ['mcp/sse http://orders-mcp:8000/sse'],
      },
    },
    {
      name: 'with SSE only, a comment first, carriage returns, and the endpoint as a URL',
      source: 'https://html.spec.whatwg.org/multipage/server-sent-events.html (comments, CR LF)',
      ...byHand(
        sseServer(
          ': ping\r\n\r\nevent: endpoint\r\ndata: http://orders-mcp:8000/message?sessionId=9\r\n\r\n',
        ),
      ),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/sse' } },
        holmes: ['mcp/sse http://orders-mcp:8000/sse'],
      },
    },
    {
      name: 'with SSE only, at /sse/, to which /sse leads with 307',
      source: 'https://github.com/encode/starlette/blob/master/starlette/routing.py (redirect_slashes)',
      ...byHand((request, response) => {
        if (request.url === '/sse') return send(response, to('/sse/', 307));
        sseServer('event: endpoint\ndata: /messages/?session_id=4b1d\n\n', { at: '/sse/' })(
          request,
          response,
        );
      }),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/sse/' } },
        holmes: ['mcp/sse http://orders-mcp:8000/sse/'],
      },
    },
    {
      name: 'an event stream that names no endpoint is no MCP server',
      source: 'https://html.spec.whatwg.org/multipage/server-sent-events.html',
      ...byHand(sseServer('event: message\ndata: {"changed":true}\n\n', { ends: true })),
      truth: { found: {}, holmes: [], warns: [/orders-mcp/] },
    },
    {
      name: 'at a path of its own, to which /mcp leads with 308',
      source: SPEC,
      ...byHand(mcpServer({ at: '/api/mcp', elsewhere: { '/mcp': to('/api/mcp', 308) } })),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/api/mcp' } },
        holmes: ['mcp/streamable-http http://orders-mcp:8000/api/mcp'],
      },
    },
    {
      name: 'redirects to another host are not followed',
      source: SPEC,
      ...byHand(mcpServer({ at: '/nowhere', elsewhere: { '/mcp': to('https://mcp.example.com/mcp', 307) } })),
      truth: { found: {}, holmes: [], warns: [/orders-mcp/] },
    },
    {
      name: 'refuses the host name with 421, as servers of the Python SDK',
      source: 'https://github.com/modelcontextprotocol/python-sdk/issues/1798',
      ...byHand(mcpServer({ streams: true, refuses: pythonHostCheck(isLocal) })),
      truth: {
        found: {
          'orders-mcp': {
            is: 'mcp http:8000/mcp',
            ...REFUSED,
            says: [/refuses the Host name.*add orders-mcp to the hosts/],
          },
        },
        holmes: [],
      },
    },
    {
      name: 'refuses the host name with 403, as servers of the TypeScript SDK',
      source:
        'https://github.com/modelcontextprotocol/typescript-sdk/blob/main/src/server/middleware/hostHeaderValidation.ts',
      ...byHand(mcpServer({ refuses: typescriptHostCheck(isLocal) })),
      truth: {
        found: {
          'orders-mcp': {
            is: 'mcp http:8000/mcp',
            ...REFUSED,
            says: [/refuses the Host name.*add orders-mcp to the hosts/],
          },
        },
        holmes: [],
      },
    },
    {
      name: 'allows the host name that the agent uses',
      source:
        'https://github.com/modelcontextprotocol/python-sdk/blob/main/src/mcp/server/transport_security.py (allowed_hosts)',
      ...byHand(
        mcpServer({ streams: true, refuses: pythonHostCheck((host) => host.startsWith('orders-mcp.')) }),
      ),
      truth: {
        found: { 'orders-mcp': { is: 'mcp http:8000/mcp' } },
        holmes: ['mcp/streamable-http http://orders-mcp:8000/mcp'],
      },
    },
    {
      name: 'wants a login',
      source: 'https://modelcontextprotocol.io/specification/2025-06-18/basic/authorization',
      ...byHand(
        mcpServer({
          refuses: () =>
            text('', 401, {
              'www-authenticate':
                'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource"',
            }),
        }),
      ),
      truth: {
        found: {
          'orders-mcp': {
            is: 'mcp http:8000/mcp',
            proven: 'CredentialsRequired',
            healthy: 'CredentialsRequired',
            published: 'NeedsCredentials',
          },
        },
        holmes: [],
      },
    },
    {
      name: 'the ports "mcp-server" and "tools" are those of MCP servers',
      source:
        'https://github.com/opencost/opencost-helm-chart/blob/main/charts/opencost/templates/service.yaml; https://github.com/kagent-dev/tools',
      services: [
        {
          name: 'costs',
          labels: labels('costs', 'costs'),
          selector: { app: 'costs' },
          ports: [port('ui', 9090, 9090), port('mcp-server', 8081, 8081)],
        },
        {
          name: 'helpers',
          labels: labels('helpers', 'helpers'),
          selector: { app: 'helpers' },
          ports: [port('tools', 8084, 8084)],
        },
      ],
      pods: [
        {
          name: 'costs-0',
          labels: { app: 'costs' },
          ports: [
            { number: 8081, serves: mcpServer({ at: '/', streams: true }) },
            { number: 9090, serves: serving({ '/': text('ui') }) },
          ],
        },
        { name: 'helpers-0', labels: { app: 'helpers' }, ports: [{ number: 8084, serves: mcpServer() }] },
      ],
      truth: {
        found: { costs: { is: 'mcp http:8081' }, helpers: { is: 'mcp http:8084/mcp' } },
        holmes: ['mcp/streamable-http http://costs:8081', 'mcp/streamable-http http://helpers:8084/mcp'],
      },
    },
    {
      name: 'the databases and queues of a chart with the name of MCP',
      source: 'https://github.com/IBM/mcp-context-forge/tree/main/charts/mcp-stack/templates',
      services: [
        {
          name: 'mcp-stack-postgres',
          labels: labels('mcp-stack', 'forge', { 'app.kubernetes.io/component': 'postgres' }),
          selector: { app: 'postgres' },
          ports: [port('postgres', 5432, 5432)],
        },
        {
          name: 'mcp-stack-redis',
          labels: labels('mcp-stack', 'forge', { 'app.kubernetes.io/component': 'redis' }),
          selector: { app: 'redis' },
          ports: [port('redis', 6379, 6379)],
        },
        {
          name: 'mcp-stack-broker',
          labels: labels('mcp-stack', 'forge'),
          selector: { app: 'redis' },
          ports: [port('http', 80, 5672, 'amqp')],
        },
        {
          name: 'mcp-stack-mcpgateway',
          labels: labels('mcp-stack', 'forge', { 'app.kubernetes.io/component': 'mcpgateway' }),
          selector: { app: 'gateway' },
          ports: [port('http', 80, 4444)],
        },
      ],
      pods: [
        { name: 'postgres-0', labels: { app: 'postgres' }, ports: [{ number: 5432, serves: mcpServer() }] },
        {
          name: 'redis-0',
          labels: { app: 'redis' },
          ports: [
            { number: 6379, serves: mcpServer() },
            { number: 5672, serves: mcpServer() },
          ],
        },
        {
          name: 'gateway-0',
          labels: { app: 'gateway' },
          ports: [{ number: 4444, serves: mcpServer({ at: '/mcp/' }) }],
        },
      ],
      truth: {
        found: { 'mcp-stack-mcpgateway': { is: 'mcp http:80/mcp/' } },
        holmes: ['mcp/streamable-http http://mcp-stack-mcpgateway:80/mcp/'],
      },
    },
  ],
};
