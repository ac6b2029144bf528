import { StringDecoder } from 'node:string_decoder';

/** One event of `text/event-stream`. */
export interface ServerSentEvent {
  /** The type of the event. Default: `message`. */
  readonly event: string;
  readonly data: string;
}

/** Maximum events, and maximum bytes of events, to read before the wanted one. */
export const MAX_EVENTS = 20;
export const MAX_SKIPPED_BYTES = 16 * 1024;

/** Lines of an event, and pieces of a line, after which they are joined: many short ones need much more memory than their text. */
const MAX_PARTS = 256;

const NEWLINE = '\n';

/**
 * Parses an event stream incrementally, in linear time. Reading ends with the first wanted event or at the limits above.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventReader {
  readonly #wanted: (event: ServerSentEvent) => boolean;
  readonly #decoder = new StringDecoder('utf8');
  /** The pieces of the incomplete last line. */
  #line: string[] = [];
  #event = '';
  #data: string[] = [];
  /** Characters of the incomplete last event. */
  #length = 0;
  #events = 0;
  #skipped = 0;
  #done = false;

  /** @param wanted called once for each event; `true` ends reading */
  constructor(wanted: (event: ServerSentEvent) => boolean) {
    this.#wanted = wanted;
  }

  /** Parses the next bytes. @returns whether reading has ended */
  push(chunk: Buffer): boolean {
    return this.pushText(this.#decoder.write(chunk));
  }

  /** Parses the next decoded text. @returns whether reading has ended */
  pushText(text: string): boolean {
    let start = 0;
    while (!this.#done) {
      const end = text.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#line.push(text.slice(start, end));
      this.#endLine();
      start = end + 1;
    }
    if (!this.#done && start < text.length) this.#line.push(text.slice(start));
    if (this.#line.length >= MAX_PARTS) this.#line = [this.#line.join('')];
    return this.#done;
  }

  /** Ends the stream. A last event without the final empty line counts too. */
  end(): void {
    if (this.#done) return;
    this.#endLine();
    this.#endEvent();
  }

  #endLine(): void {
    const line = this.#line.join('');
    this.#line = [];
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
        if (this.#data.length >= MAX_PARTS) this.#data = [this.#data.join(NEWLINE)];
        break;
    }
  }

  #endEvent(): void {
    if (this.#length === 0) return;
    const event = { event: this.#event || 'message', data: this.#data.join('\n') };
    this.#events++;
    this.#skipped += this.#length;
    this.#event = '';
    this.#data = [];
    this.#length = 0;
    this.#done = this.#wanted(event) || this.#events >= MAX_EVENTS || this.#skipped >= MAX_SKIPPED_BYTES;
  }
}
