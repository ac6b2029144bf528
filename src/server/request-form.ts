import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ProblemError } from './problem.ts';

/**
 * The server and any proxy before it must agree on the host.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2
 * @throws ProblemError for a request with two hosts, or of HTTP/1.1 without one
 */
export function mustHaveOneHost({
  rawHeaders,
  httpVersion,
}: Pick<IncomingMessage, 'rawHeaders' | 'httpVersion'>): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) throw new ProblemError('invalid-request', 'There are several Host headers; send one.');
  if (hosts === 0 && httpVersion === '1.1')
    throw new ProblemError('invalid-request', 'The Host header is missing; HTTP/1.1 requires it.');
}

/** The refusal of a body in another encoding, whatever its header says. */
export const notUtf8 = (): ProblemError =>
  new ProblemError('unsupported-media-type', 'Send the body in UTF-8.');

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]+)/i;

/**
 * The server supports only uncompressed bodies in UTF-8.
 * @throws ProblemError for a body that is compressed or in another character set
 */
export function mustBePlain(headers: IncomingHttpHeaders): void {
  const { 'content-encoding': encoding, 'content-type': type = '' } = headers;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    throw new ProblemError('unsupported-media-type', 'Send the body without Content-Encoding.', {
      headers: { 'accept-encoding': 'identity' },
    });
  const charset = CHARSET.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw notUtf8();
}
