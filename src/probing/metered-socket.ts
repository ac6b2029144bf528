import type { Socket, TcpNetConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import { HandshakeScreen } from '../model/handshake-screen.ts';
import { ProbeFailure } from './fetch.ts';
import { perTickLimiter } from './per-tick-limiter.ts';

/** Maximum bytes to receive and forward at once, and maximum such chunks per turn of the event loop. */
const CHUNK_BYTES = 4 * 1024;
const CHUNKS_PER_TICK = 4;

/**
 * Maximum bytes of a TLS handshake. OpenSSL reads and verifies all certificates of a chain, although probes do not need
 * that. Usual chains have 2 to 6 KiB.
 */
const MAX_HANDSHAKE_BYTES = 16 * 1024;

/** All connections share this limiter, so that many hostile backends block the event loop no longer than one. */
const nextTurn = perTickLimiter(CHUNKS_PER_TICK);

const kibibytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;

/** Where a socket puts what it receives. Its callback returns `false`, which pauses the socket. */
export type OnRead = NonNullable<TcpNetConnectOpts['onread']>;

/**
 * A connection with a budget of received bytes, including headers, framing and the TLS handshake. Data is received and
 * forwarded in small chunks across turns of the event loop, so that a hostile server cannot keep a parser busy, and what it
 * sends stays in the kernel until then. Exceeding the budget destroys the connection with a ProbeFailure.
 */
export class MeteredSocket extends Duplex {
  readonly #socket: Socket;
  readonly #budget: number;
  #received = 0;
  /** The chunk that was received last, until it is forwarded. The socket is paused meanwhile. */
  #chunk: Buffer | undefined;
  /** Whether a read waits for data. */
  #waiting = false;
  #busy = false;
  /** Forwards a chunk of the TLS handshake. `undefined` after it, and without TLS. */
  #pace: ((forward: () => void) => Promise<void>) | undefined;
  readonly #screen = new HandshakeScreen(true, true);

  /**
   * @param open opens the connection, which must receive into the given buffer
   * @param budget maximum bytes to receive
   * @param pace for TLS 1.2: calls the given function when the next chunk of the handshake may be forwarded
   */
  constructor(
    open: (onread: OnRead) => Socket,
    budget: number,
    pace?: (forward: () => void) => Promise<void>,
  ) {
    super({ readableHighWaterMark: CHUNK_BYTES });
    this.#budget = budget;
    this.#pace = pace;
    const socket = open({
      buffer: Buffer.allocUnsafeSlow(CHUNK_BYTES),
      callback: (bytes, buffer) => {
        this.#chunk = Buffer.copyBytesFrom(buffer, 0, bytes);
        if (this.#waiting) this._read();
        return false;
      },
    });
    this.#socket = socket;
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#waiting = false;
    const forward = (): void => {
      this.#busy = false;
      if (!this.destroyed) this.#forward();
    };
    if (this.#pace === undefined) void nextTurn().then(forward);
    else void this.#pace(forward);
  }

  /** Whether the server asked for a client certificate in the TLS handshake. */
  get asksForCertificate(): boolean {
    return this.#screen.asksForCertificate;
  }

  /** The certificates of the server, in DER, as it sent them. */
  get serverCertificates(): readonly Buffer[] {
    return this.#screen.certificates;
  }

  /** Ends the limits for the TLS handshake. */
  secured(): void {
    this.#pace = undefined;
  }

  #forward(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) {
      this.#waiting = true;
      return;
    }
    this.#chunk = undefined;
    this.#received += chunk.length;
    if (this.#pace !== undefined && this.#received > MAX_HANDSHAKE_BYTES) {
      this.destroy(
        new ProbeFailure(
          `its TLS handshake is longer than ${kibibytes(MAX_HANDSHAKE_BYTES)}; shorten its chain of certificates`,
          'tls',
        ),
      );
      return;
    }
    const fault = this.#pace === undefined ? undefined : this.#screen.read(chunk);
    if (fault !== undefined) {
      this.destroy(new ProbeFailure(`its TLS handshake ${fault}`, 'tls'));
      return;
    }
    if (this.#received > this.#budget) {
      this.destroy(
        new ProbeFailure(`it sent more than ${kibibytes(this.#budget)} for one response`, 'protocol'),
      );
      return;
    }
    this.#socket.resume();
    this.push(chunk);
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
