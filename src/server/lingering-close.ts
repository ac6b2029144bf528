import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How long the rest of a body is read and discarded after the response, in milliseconds. */
const LINGER = 1_000;

/**
 * Lets clients read a response that is sent while their body still arrives, such as a 413. A connection that is closed with
 * unread data is reset, and the client may then report the broken connection instead of the response.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function lingerOnClose(server: Server): void {
  const requests = new WeakMap<Socket, IncomingMessage>();
  server.prependListener('request', (request: IncomingMessage) => requests.set(request.socket, request));
  const linger = (socket: Socket): void => {
    const close = socket.destroySoon.bind(socket);
    // Node.js calls this after the last response of a connection.
    socket.destroySoon = () => {
      const request = requests.get(socket);
      if (request === undefined || request.complete) {
        close();
        return;
      }
      socket.end();
      request.once('end', close);
      setTimeout(() => socket.destroy(), LINGER).unref();
    };
  };
  server.on('connection', linger).on('secureConnection', linger);
}
