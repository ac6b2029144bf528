import http from 'node:http';
import https, { type RequestOptions } from 'node:https';

/** Pause after which the system asks whether the other side of a quiet connection is still there, in milliseconds. */
const KEEP_ALIVE = 30_000;

/**
 * Agents that keep connections to one server: the library's own close each after its request. One agent serves as
 * long as the credentials stay the same, and is retired when they change.
 */
export function keptAgents(secure: boolean): (settings: RequestOptions) => http.Agent {
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

/** Closes what is idle and lets running requests end; `destroy` would break those. */
function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}
