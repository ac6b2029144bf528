import type { Backend } from '../model/backend.ts';
import type { BackendId } from '../model/backend-id.ts';
import { causeOf, type Health, type Verdict } from '../model/discovery.ts';

/** A health status, and when it began. */
export interface HealthRecord {
  readonly time: Date;
  readonly health: Health;
  readonly reason: string;
}

/** The probe history of one backend. */
export interface BackendHistory {
  readonly discoveredAt: Date;
  /** When it was last probed. */
  readonly checkedAt: Date | undefined;
  /** Health transitions, the newest last. */
  readonly health: readonly HealthRecord[];
}

/** Maximum number of transitions per backend. */
const REMEMBERED = 10;

interface Remembered {
  readonly history: BackendHistory;
  readonly verdict: Verdict;
}

/** Health transitions of backends, by id. */
export class HealthHistories {
  #byId: ReadonlyMap<BackendId, Remembered> = new Map();

  of(id: BackendId): BackendHistory | undefined {
    return this.#byId.get(id)?.history;
  }

  /** Records the results of a discovery, and forgets backends that are gone. */
  record(backends: readonly Backend[], now: Date): void {
    this.#byId = new Map(
      backends.map(({ id, found: { verdict } }) => [id, remember(this.#byId.get(id), verdict, now)]),
    );
  }
}

function remember(before: Remembered | undefined, verdict: Verdict, now: Date): Remembered {
  // A cached verdict is the same object.
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
