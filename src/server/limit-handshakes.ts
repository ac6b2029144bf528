import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { HandshakeScreen } from '../model/handshake-screen.ts';
import { createPacer, type Pacer } from '../model/pacer.ts';
import { addressKey } from './address-key.ts';

/**
 * Maximum bytes of a TLS handshake from a client. OpenSSL reads and verifies all certificates that a client sends, trusted or
 * not, on the event loop. Usual chains have 2 to 6 KiB.
 */
const MAX_HANDSHAKE_BYTES = 16 * 1024;
/**
 * Bytes that are decrypted at once after the handshake, since a record may have a single byte, or renew keys, so that 16 KiB
 * take milliseconds. More than that arrives at once from a flood, or with a large body.
 */
const MAX_PIECE_BYTES = 16 * 1024;
/** Bytes of an ordinary request, which need not wait. */
const SMALL_BYTES = 2 * 1024;

/**
 * The connection whose data Node.js handles at the moment. A handshake ends while its last bytes are handled, and the TLS
 * socket has no address and no documented way to the stream below it. A test fails if that changes.
 */
let delivering: LimitedSocket | undefined;

/** An accepted connection whose TLS handshake is limited, and whose decryption is paced. */
class LimitedSocket extends Duplex {
  readonly #socket: Socket;
  readonly #pace: Pacer;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  #received = 0;
  #isSecured = false;
  #isForwarding = false;
  /** More was asked for while data was forwarded. */
  #isAwaited = false;
  /** The client closed its side while data was forwarded. */
  #isEnded = false;
  readonly #screen: HandshakeScreen | undefined;

  /** @param screen reads the handshake before OpenSSL does, if the client may send certificates */
  constructor(socket: Socket, pace: Pacer, screen: HandshakeScreen | undefined) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#pace = pace;
    this.#screen = screen;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.remoteFamily = socket.remoteFamily;
    // Otherwise, a client that closes its side gets no response.
    socket.allowHalfOpen = true;
    socket.pause();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => {
      // The end may be read before the last data is forwarded.
      if (this.#isForwarding) this.#isEnded = true;
      else this.#end();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  #end(): void {
    // Otherwise, a client that leaves during the handshake would count until it times out.
    if (this.#isSecured) this.push(null);
    else this.destroy();
  }

  /** Ends the limits. */
  secured(): void {
    this.#isSecured = true;
  }

  /** Like that of `Socket`. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...values);
    delivering = this;
    try {
      return super.emit(event, ...values);
    } finally {
      delivering = undefined;
    }
  }

  #receive(chunk: Buffer): void {
    this.#socket.pause();
    if (this.#isSecured) {
      if (chunk.length <= SMALL_BYTES) this.#forward(chunk);
      else void this.#forwardPieces(chunk);
      return;
    }
    void this.#shakeHands(chunk);
  }

  /** Forwards a part of the handshake. With TLS 1.3, the first request may follow in the same chunk. */
  async #shakeHands(chunk: Buffer): Promise<void> {
    const part = chunk.subarray(0, MAX_HANDSHAKE_BYTES - this.#received);
    const rest = chunk.subarray(part.length);
    this.#received += part.length;
    const fault = this.#screen?.read(part);
    if (fault !== undefined) {
      this.destroy(new Error(`the TLS handshake ${fault}`));
      return;
    }
    let wantsMore = true;
    this.#isForwarding = true;
    await this.#pace(addressKey(this.remoteAddress ?? ''), () => {
      if (!this.destroyed) wantsMore = this.push(part);
    });
    if (rest.length === 0) this.#forwarded(wantsMore);
    else if (this.#isSecured) await this.#forwardPieces(rest);
    else this.destroy(new Error('the TLS handshake is too long'));
  }

  async #forwardPieces(chunk: Buffer): Promise<void> {
    const address = addressKey(this.remoteAddress ?? '');
    let wantsMore = true;
    this.#isForwarding = true;
    for (let start = 0; start < chunk.length && !this.destroyed; start += MAX_PIECE_BYTES)
      await this.#pace(address, () => {
        if (!this.destroyed) wantsMore = this.push(chunk.subarray(start, start + MAX_PIECE_BYTES));
      });
    this.#forwarded(wantsMore);
  }

  #forwarded(wantsMore: boolean): void {
    this.#isForwarding = false;
    if (this.destroyed) return;
    if (this.#isEnded) this.#end();
    else if (wantsMore || this.#isAwaited) this.#socket.resume();
    this.#isAwaited = false;
  }

  #forward(chunk: Buffer): void {
    if (this.destroyed) return;
    if (this.push(chunk)) this.#socket.resume();
  }

  override _read(): void {
    // What comes next must not overtake the pieces.
    if (this.#isForwarding) this.#isAwaited = true;
    else this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/**
 * Limits and paces the TLS handshakes of a server, so that many at once do not block the event loop: each costs milliseconds
 * of computing, and a client can send prepared bytes that cost it nothing. If the server asks for client certificates, it
 * verifies what a client sends, even of an unknown authority, so extraordinary ones are refused before OpenSSL reads them. Such a
 * server must not support TLS 1.3, which encrypts them.
 */
export function limitHandshakes(
  server: Server,
  { asksForCertificates }: { readonly asksForCertificates: boolean },
): void {
  const pace = createPacer();
  const emit = server.emit.bind(server) as (event: string, ...values: unknown[]) => boolean;
  server.emit = ((event: string, ...values: unknown[]) => {
    const [socket] = values;
    if (event !== 'connection' || !(socket instanceof Socket)) return emit(event, ...values);
    const screen = asksForCertificates ? new HandshakeScreen(false) : undefined;
    return emit(event, new LimitedSocket(socket, pace, screen));
  }) as Server['emit'];
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (delivering === undefined) return;
    delivering.secured();
    const { remoteAddress, remotePort, remoteFamily } = delivering;
    for (const [name, value] of Object.entries({ remoteAddress, remotePort, remoteFamily }))
      Object.defineProperty(socket, name, { value });
  });
}
