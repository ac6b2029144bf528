import type { Stages } from '../controller/pass.ts';
import { visible } from '../model/visible.ts';
import type { Output } from './cli-context.ts';
import { writePainted } from './output.ts';
import { columnsOf } from './terminal.ts';

/** Time before anything is shown, in milliseconds: what is fast needs no words. */
const SHOW_AFTER = 500;
/** Time between two looks, in milliseconds. */
const REFRESH_INTERVAL = 100;

/** One line on a terminal that says what is being done, and is gone at the end. */
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

  /** Says what is being done now. */
  show(text: string): void {
    this.#text = text;
  }

  /** Stages that say how many backends were asked. */
  watching(stages: Stages): Stages {
    const { prober } = stages;
    let begun = 0;
    let done = 0;
    const probe: typeof prober.probe = async (candidate, signal) => {
      begun += 1;
      this.show(`probed ${done} of ${begun} backends`);
      try {
        return await prober.probe(candidate, signal);
      } finally {
        done += 1;
        this.show(`probed ${done} of ${begun} backends`);
      }
    };
    return {
      ...stages,
      prober: { ...(prober.prepare && { prepare: prober.prepare.bind(prober) }), probe },
    };
  }

  /** Takes the line away; no more comes. */
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
