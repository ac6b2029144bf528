import http from 'node:http';
import https, { type RequestOptions } from 'node:https';

/** Idle time before the first TCP keep-alive probe, in milliseconds. */
const KEEP_ALIVE = 30_000;

/**
 * Agents with keep-alive connections to one server; the library's agents close the connection after each request. An agent is used
 * while the credentials stay the same, and retired when they change.
 */
export function keepAliveAgents(secure: boolean): (settings: RequestOptions) => http.Agent {
  let identity: string | undefined;
  let agent: http.Agent | undefined;
  return ({ ca, cert, key, rejectUnauthorized, servername }) => {
    const now = JSON.stringify([String(ca), String(cert), String(key), rejectUnauthorized, servername]);
    if (agent !== undefined && identity === now) return agent;
    if (agent !== undefined) retire(agent);
    identity = now;
    agent = secure
      ? new https.Agent({
          keepAlive: true,
          keepAliveMsecs: KEEP_ALIVE,
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
          ...(servername === undefined ? {} : { servername }),
        })
      : new http.Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE });
    return agent;
  };
}

/** Closes idle connections. Unlike `destroy`, it lets running requests finish. */
function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}
