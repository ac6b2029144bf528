/** Lines written in one turn of the event loop. */
const PER_TURN = 20;
/** Lines that wait at most. Further ones are written at once, so none is lost. */
const MAX_WAITING = 10_000;

/**
 * Spreads a burst of lines over several turns of the event loop, in order. Each line is redacted when it is written, and
 * hundreds at once would block everything else.
 */
export class PacedLines {
  readonly #write: (line: string) => void;
  #waiting: string[] = [];
  #isTurnScheduled = false;
  /** Lines written in this turn. */
  #written = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    this.#scheduleTurn();
    if (this.#waiting.length === 0 && this.#written < PER_TURN) {
      this.#written++;
      this.#write(line);
      return;
    }
    this.#waiting.push(line);
    if (this.#waiting.length > MAX_WAITING) this.flush();
  }

  /** Writes all that wait, for example because the process ends. */
  flush(): void {
    const lines = this.#waiting;
    this.#waiting = [];
    for (const line of lines) this.#write(line);
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    setImmediate(() => {
      this.#isTurnScheduled = false;
      this.#written = Math.min(PER_TURN, this.#waiting.length);
      for (const line of this.#waiting.splice(0, PER_TURN)) this.#write(line);
      if (this.#waiting.length > 0) this.#scheduleTurn();
    });
  }
}
