import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ProbeFailure } from './fetch.ts';
import { perTickLimiter } from './per-tick-limiter.ts';

/** Maximum bytes to forward at once, and maximum such chunks per turn of the event loop. */
const CHUNK_BYTES = 4 * 1024;
const CHUNKS_PER_TICK = 4;

/** All connections share this limiter, so that many hostile backends block the event loop no longer than one. */
const nextTurn = perTickLimiter(CHUNKS_PER_TICK);

const kibibytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;

/**
 * A connection with a budget of received bytes, including headers, framing and the TLS handshake. Data is forwarded in
 * small chunks across turns of the event loop, so that a hostile server cannot keep a parser busy. Exceeding the budget
 * destroys the connection with a ProbeFailure.
 */
export class MeteredSocket extends Duplex {
  readonly #socket: Socket;
  readonly #budget: number;
  #received = 0;
  /** Whether a read waits for data. */
  #waiting = false;
  #busy = false;

  /** @param budget maximum bytes to receive */
  constructor(socket: Socket, budget: number) {
    super({ readableHighWaterMark: CHUNK_BYTES });
    this.#socket = socket;
    this.#budget = budget;
    socket.on('readable', () => {
      if (this.#waiting) this._read();
    });
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
    const size = Math.min(CHUNK_BYTES, this.#socket.readableLength);
    const chunk = this.#socket.read(size === 0 ? undefined : size) as Buffer | null;
    if (chunk === null) {
      this.#waiting = true;
      return;
    }
    this.#received += chunk.length;
    if (this.#received <= this.#budget) this.push(chunk);
    else
      this.destroy(
        new ProbeFailure(`it sent more than ${kibibytes(this.#budget)} for one response`, 'protocol'),
      );
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
