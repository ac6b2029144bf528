import type { Endpoint } from './discovery.ts';
import { withoutTrailing } from './trailing.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/**
 * The endpoint of a URL. A slash at the end counts for MCP servers only: some answer at `/mcp/`, and not at `/mcp`.
 * @param text a valid URL, with a scheme of endpoints
 */
export function endpointOfUrl(text: string, isMcp = false): Endpoint {
  const { protocol, hostname, port, pathname } = new URL(text);
  const scheme = protocol.slice(0, -1) as Endpoint['scheme'];
  return {
    scheme,
    host: hostname,
    port: port === '' ? (DEFAULT_PORTS[scheme] ?? 0) : Number(port),
    path: isMcp && pathname !== '/' ? pathname : withoutTrailing(pathname, '/'),
  };
}
