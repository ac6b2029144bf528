import type { Backend } from '../model/backend.ts';
import type { BackendId } from '../model/backend-id.ts';
import { causeOf, type Health, type Verdict } from '../model/discovery.ts';

/** What probes found from a time on. */
export interface HealthRecord {
  readonly time: Date;
  readonly health: Health;
  readonly reason: string;
}

/** What is remembered of one backend's probes. */
export interface BackendHistory {
  readonly discoveredAt: Date;
  /** When it was last probed. */
  readonly checkedAt: Date | undefined;
  /** What probes found, the newest last: an entry for each change, with the time of the change. */
  readonly health: readonly HealthRecord[];
}

/** How many changes of a backend's health are remembered. */
const REMEMBERED = 10;

interface Remembered {
  readonly history: BackendHistory;
  readonly verdict: Verdict;
}

/** Remembers how the health of backends changed, by their ids. */
export class HealthHistories {
  #byId: ReadonlyMap<BackendId, Remembered> = new Map();

  of(id: BackendId): BackendHistory | undefined {
    return this.#byId.get(id)?.history;
  }

  /** Takes over what a discovery found; backends that are not there any more are forgotten. */
  record(backends: readonly Backend[], now: Date): void {
    this.#byId = new Map(
      backends.map(({ id, found: { verdict } }) => [id, remember(this.#byId.get(id), verdict, now)]),
    );
  }
}

function remember(before: Remembered | undefined, verdict: Verdict, now: Date): Remembered {
  // A verdict from memory is the same object again.
  if (before?.verdict === verdict) return before;
  const { discoveredAt, health } = before?.history ?? { discoveredAt: now, health: [] };
  const isSame = before !== undefined && causeOf(before.verdict) === causeOf(verdict);
  const record = { time: now, health: verdict.health, reason: verdict.reason };
  return {
    verdict,
    history: {
      discoveredAt,
      checkedAt: now,
      health: isSame ? health : [...health.slice(1 - REMEMBERED), record],
    },
  };
}
