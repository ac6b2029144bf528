import type { Stages } from '../controller/pass.ts';
import { countOf } from '../model/count-of.ts';
import { visible } from '../model/visible.ts';
import type { Output } from './cli-context.ts';
import { writePainted } from './output.ts';
import { columnsOf } from './terminal.ts';

/** Delay before the line appears, in milliseconds. Fast commands show no progress. */
const SHOW_AFTER = 500;
/** Time between two updates, in milliseconds. */
const REFRESH_INTERVAL = 100;

/** A progress line on a terminal. It disappears at the end. */
export class Progress {
  readonly #stream: Output['messages'];
  readonly #columns: number;
  #text = '';
  #shown = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Output['messages'], env: Readonly<Record<string, string | undefined>>) {
    this.#stream = stream;
    this.#columns = columnsOf(stream, env) ?? 80;
    this.#timer = setTimeout(() => this.#show(), SHOW_AFTER).unref();
  }

  /** Sets the text of the line. */
  show(text: string): void {
    this.#text = text;
  }

  /** Wraps stages so that the line counts probed backends. */
  watching(stages: Stages): Stages {
    const { prober } = stages;
    let begun = 0;
    let done = 0;
    const probe: typeof prober.probe = async (candidate, signal) => {
      begun += 1;
      this.show(`probed ${done} of ${countOf(begun, 'backend')}`);
      try {
        return await prober.probe(candidate, signal);
      } finally {
        done += 1;
        this.show(`probed ${done} of ${countOf(begun, 'backend')}`);
      }
    };
    return {
      ...stages,
      prober: { ...(prober.prepare && { prepare: prober.prepare.bind(prober) }), probe },
    };
  }

  /** Removes the line for good. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#shown !== '') writePainted(this.#stream, '\r\u001b[K');
    this.#shown = '';
  }

  #show(): void {
    this.#timer = setTimeout(() => this.#show(), REFRESH_INTERVAL).unref();
    if (this.#text === this.#shown) return;
    this.#shown = this.#text;
    const text = visible(`${this.#text} \u2026`).slice(0, this.#columns - 1);
    writePainted(this.#stream, `\r${text}\u001b[K`);
  }
}
