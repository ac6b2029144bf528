import type { Socket, TcpNetConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import { ProbeFailure } from './fetch.ts';
import { perTickLimiter } from './per-tick-limiter.ts';

/** Maximum bytes to receive and forward at once, and maximum such chunks per turn of the event loop. */
const CHUNK_BYTES = 4 * 1024;
const CHUNKS_PER_TICK = 4;

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

  /**
   * @param open opens the connection, which must receive into the given buffer
   * @param budget maximum bytes to receive
   */
  constructor(open: (onread: OnRead) => Socket, budget: number) {
    super({ readableHighWaterMark: CHUNK_BYTES });
    this.#budget = budget;
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
    void nextTurn().then(() => {
      this.#busy = false;
      if (!this.destroyed) this.#forward();
    });
  }

  #forward(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) {
      this.#waiting = true;
      return;
    }
    this.#chunk = undefined;
    this.#received += chunk.length;
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
