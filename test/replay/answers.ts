import type { IncomingMessage, ServerResponse } from 'node:http';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** One recorded or documented response. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const text = (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body,
});

export const json = (
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const page = (body: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body,
});

/** A redirect, as Go's `http.Redirect` writes it. */
export const to = (location: string, status = 302): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', location },
  body: `<a href="${location}">Found</a>.\n\n`,
});

/** What Go's servers answer to a path that they do not have. */
export const NOT_FOUND = text('404 page not found\n', 404, { 'x-content-type-options': 'nosniff' });

/** What nginx answers to a path that it does not have. */
export const NGINX_NOT_FOUND = page(
  '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n',
  404,
);

/** Responses by path, without the query, to GET requests. */
export type Answers = Readonly<Record<string, Answer>>;

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

/** Serves responses by path; other paths get `otherwise`. */
export function serving(answers: Answers, otherwise: Answer = NOT_FOUND): Handler {
  return (request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, text('Method Not Allowed\n', 405));
    send(response, Object.hasOwn(answers, path) ? (answers[path] ?? otherwise) : otherwise);
  };
}

/** The same responses below a path, as servers have them that are told their base path. */
export const below = (prefix: string, answers: Answers): Answers =>
  Object.fromEntries(Object.entries(answers).map(([path, answer]) => [`${prefix}${path}`, answer]));

/** A login wall: every path has the same response. */
export const wall =
  (answer: Answer): Handler =>
  (_request, response) =>
    send(response, answer);
