import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RateLimiter } from '../model/rate-limit.ts';
import { addressKey } from './address-key.ts';
import { piecesOf } from './large-responses.ts';
import { pageFile } from './page-files.ts';
import { ProblemError } from './problem.ts';

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dynamic Toolset: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<style>
  body { margin: 0; font-family: system-ui, sans-serif; }
  form { padding: 1rem; max-width: 60rem; margin: auto; }
  input { width: 100%; padding: .5rem; margin: .5rem 0; box-sizing: border-box; font-family: monospace; }
</style>
</head>
<body>
<form id="form">
  <label for="token">Bearer token, such as <code>kubectl create token NAME</code> prints. It stays in this page.</label>
  <input id="token" type="password" autocomplete="off" spellcheck="false">
  <button>Show the API</button>
  <p id="message" role="status"></p>
</form>
<main id="ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `'use strict';
const form = document.getElementById('form');
const message = document.getElementById('message');
async function show() {
  const token = document.getElementById('token').value.trim();
  const headers = token === '' ? {} : { authorization: 'Bearer ' + token };
  const answer = await fetch('/openapi.json', { headers });
  const body = await answer.json();
  if (!answer.ok) {
    message.textContent = answer.status + ' ' + body.title + ': ' + body.detail;
    return;
  }
  message.textContent = '';
  SwaggerUIBundle({
    spec: body,
    domNode: document.getElementById('ui'),
    deepLinking: true,
    requestInterceptor: (request) => {
      if (token !== '') request.headers.authorization = 'Bearer ' + token;
      return request;
    },
  });
}
form.addEventListener('submit', (event) => {
  event.preventDefault();
  show().catch((error) => { message.textContent = String(error); });
});
show().catch(() => {});
`;

/** Reads a file once. Whoever asks gets the same bytes: copies for each would cost a stranger nothing, and us seconds. */
function once(read: () => Promise<Buffer>): () => Promise<Buffer> {
  let content: Promise<Buffer> | undefined;
  return () => {
    content ??= read().catch((error: unknown) => {
      content = undefined;
      throw error;
    });
    return content;
  };
}

const FILES: Readonly<Record<string, readonly [type: string, read: () => string | Promise<Buffer>]>> = {
  '/docs': ['text/html', () => HTML],
  '/docs/start.js': ['text/javascript', () => START],
  '/docs/swagger-ui.css': ['text/css', once(() => pageFile('swagger-ui.css'))],
  '/docs/swagger-ui-bundle.js': ['text/javascript', once(() => pageFile('swagger-ui-bundle.js'))],
};

/** Requests for the page's files per second, of one address and of all: they need no token, and have up to 1.7 MB. */
const EACH = { rate: 2, burst: 30, clients: 10_000 };
const ALL = { rate: 20, burst: 100, clients: 1 };

/** The page loads only what this server serves, and sends nothing elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/** Swagger UI. The page is public and has no data: it requests everything with the user's token. */
export function page(now: () => number = () => performance.now()): (app: FastifyInstance) => void {
  const [each, all] = [new RateLimiter({ ...EACH, now }), new RateLimiter({ ...ALL, now })];
  const limit = ({ ip }: FastifyRequest): void => {
    const refused = [each.take(addressKey(ip)), all.take('')].find(({ allowed }) => !allowed);
    if (refused === undefined) return;
    const seconds = refused.retryAfterSeconds;
    throw new ProblemError(
      'too-many-requests',
      `There were too many requests for this page; wait ${seconds} s.`,
      { headers: { 'retry-after': String(seconds) } },
    );
  };
  return (app) => {
    for (const [url, [type, read]] of Object.entries(FILES))
      app.get(url, {
        config: { public: true },
        handler: async (request, reply) => {
          limit(request);
          const content = await read();
          return reply
            .header('content-security-policy', POLICY)
            .header('referrer-policy', 'no-referrer')
            .header('cache-control', 'public, max-age=300')
            .type(`${type}; charset=utf-8`)
            .header('content-length', Buffer.byteLength(content))
            .send(
              typeof content === 'string' ? content : Readable.from(piecesOf(content), { objectMode: false }),
            );
        },
      });
  };
}
