import { StringDecoder } from 'node:string_decoder';

/** One event of `text/event-stream`. */
export interface ServerSentEvent {
  /** `message` where the server names none. */
  readonly event: string;
  readonly data: string;
}

/** Most events that are read while the wanted one does not come, and most bytes of those that came in its place. */
export const EVENT_LIMIT = 20;
export const NOISE_LIMIT = 16 * 1024;

const NEWLINE = '\n';

/**
 * Reads a stream of events as it arrives. Each byte is looked at once, each event is offered once, and reading is over
 * with the first event that is wanted or with the limits above, whatever the sizes of the pieces.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventReader {
  readonly #wanted: (event: ServerSentEvent) => boolean;
  readonly #decoder = new StringDecoder('utf8');
  /** The line that has no end yet. */
  #line = '';
  #event = '';
  #data: string[] = [];
  /** Characters of the event that has no end yet. */
  #length = 0;
  #events = 0;
  #noise = 0;
  #over = false;

  /** @param wanted called with each event; true ends the reading */
  constructor(wanted: (event: ServerSentEvent) => boolean) {
    this.#wanted = wanted;
  }

  /** Takes the next bytes. @returns whether reading is over */
  take(chunk: Buffer): boolean {
    return this.read(this.#decoder.write(chunk));
  }

  /** As `take`, for text that is decoded already. */
  read(text: string): boolean {
    let start = 0;
    while (!this.#over) {
      const end = text.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#endLine(this.#line + text.slice(start, end));
      this.#line = '';
      start = end + 1;
    }
    if (!this.#over) this.#line += text.slice(start);
    return this.#over;
  }

  /** The stream ended: what stands there counts as an event, also without the empty line after it. */
  end(): void {
    if (this.#over) return;
    this.#endLine(this.#line);
    this.#endEvent();
  }

  #endLine(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (text === '') {
      this.#endEvent();
      return;
    }
    this.#length += text.length;
    const colon = text.indexOf(':');
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (colon < 0 ? text : text.slice(0, colon)) {
      case 'event':
        this.#event = value;
        break;
      case 'data':
        this.#data.push(value);
        break;
    }
  }

  #endEvent(): void {
    if (this.#length === 0) return;
    const event = { event: this.#event || 'message', data: this.#data.join('\n') };
    this.#events++;
    this.#noise += this.#length;
    this.#event = '';
    this.#data = [];
    this.#length = 0;
    this.#over = this.#wanted(event) || this.#events >= EVENT_LIMIT || this.#noise >= NOISE_LIMIT;
  }
}
