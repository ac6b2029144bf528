import type { FastifyInstance } from 'fastify';
import { pageFile } from './page-files.ts';

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

const FILES: Readonly<Record<string, readonly [type: string, read: () => string | Promise<string>]>> = {
  '/docs': ['text/html', () => HTML],
  '/docs/start.js': ['text/javascript', () => START],
  '/docs/swagger-ui.css': ['text/css', () => pageFile('swagger-ui.css')],
  '/docs/swagger-ui-bundle.js': ['text/javascript', () => pageFile('swagger-ui-bundle.js')],
};

/** The page loads only what this server serves, and sends nothing elsewhere. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/** Swagger UI. The page is public and has no data: it requests everything with the user's token. */
export function page(): (app: FastifyInstance) => void {
  return (app) => {
    for (const [url, [type, read]] of Object.entries(FILES))
      app.get(url, {
        config: { public: true },
        handler: async (_, reply) =>
          reply
            .header('content-security-policy', POLICY)
            .header('referrer-policy', 'no-referrer')
            .header('cache-control', 'public, max-age=300')
            .type(`${type}; charset=utf-8`)
            .send(await read()),
      });
  };
}
