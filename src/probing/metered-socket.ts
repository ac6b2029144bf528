import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ProbeFailure } from './fetch.ts';
import { turns } from './turns.ts';

/** Most bytes of a connection that are handed on at once, and how many such pieces in one turn of the event loop. */
const PIECE = 4 * 1024;
const PIECES_IN_A_TURN = 4;

/** All connections to backends share these turns, so that many hostile ones cost no longer turns than one. */
const turn = turns(PIECES_IN_A_TURN);

const kibibytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`;

/**
 * A connection with a budget of bytes, whatever they are: headers, framing, a TLS handshake. They are handed on in small
 * pieces with a turn of the event loop between them, so that a parser never works long on what a hostile server sent.
 * Where the budget is spent, it ends with a ProbeFailure.
 */
export class MeteredSocket extends Duplex {
  readonly #socket: Socket;
  readonly #budget: number;
  #received = 0;
  /** A piece is wanted and none had come. */
  #waiting = false;
  #busy = false;

  /** @param budget most bytes that are received */
  constructor(socket: Socket, budget: number) {
    super({ readableHighWaterMark: PIECE });
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
    void turn().then(() => {
      this.#busy = false;
      if (!this.destroyed) this.#handOn();
    });
  }

  #handOn(): void {
    const size = Math.min(PIECE, this.#socket.readableLength);
    const piece = this.#socket.read(size === 0 ? undefined : size) as Buffer | null;
    if (piece === null) {
      this.#waiting = true;
      return;
    }
    this.#received += piece.length;
    if (this.#received <= this.#budget) this.push(piece);
    else
      this.destroy(
        new ProbeFailure(`it sent more than ${kibibytes(this.#budget)} for one answer`, 'protocol'),
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
