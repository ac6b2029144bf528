import { LRUCache } from 'lru-cache';
import type { Problem } from '../model/discovery.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import type { Kube } from './connection.ts';
import { eventBody, eventName, eventsPath, microTime } from './event-object.ts';
import { clusterError, isStatus } from './status.ts';

export interface EventRecorderOptions {
  /** The ConfigMap that the Events are about. `uid` is asked each time: an object made anew has another one. */
  readonly regarding: {
    readonly namespace: string;
    readonly name: string;
    readonly uid?: () => string | undefined;
  };
  /** Which process tells it, for `reportingInstance`: the name of its Pod or host. */
  readonly instance: string;
  readonly now: () => Date;
  /** Told once while Events cannot be written. */
  readonly onProblem: (problem: Problem) => void;
  /** When it is aborted, nothing more is written. */
  readonly signal: AbortSignal;
}

export interface EventRecorder {
  /** Tells an Event; returns at once and never throws. */
  readonly record: (event: ObjectEvent) => void;
  /** Resolves when all that was told has been written or given up; aborting the signal makes it soon. */
  readonly settled: () => Promise<void>;
}

/**
 * As many Events at once, then one more each so many milliseconds: what client-go allows one source and object.
 * @see https://github.com/kubernetes/client-go/blob/master/tools/record/events_cache.go
 */
const BURST = 25;
const REFILL = 5 * 60_000;

/** The same Event within so many milliseconds is one more of a series. */
const SERIES = 10 * 60_000;
/** Most different Events that are remembered for series. */
const REMEMBERED = 64;
/** Most Events that wait to be written. */
const WAITING = 32;
/** Longest time for one request, in milliseconds. */
const TIMEOUT = 10_000;

/** An Event and how often it was told. */
interface Series {
  readonly event: ObjectEvent;
  readonly first: Date;
  last: Date;
  count: number;
  /** The name of the object that was written for it. */
  name: string | undefined;
  waiting: boolean;
}

/**
 * Writes `events.k8s.io/v1` Events about a ConfigMap, one after another. The same Event within ten minutes makes the
 * first one a series: `kubectl get events` then shows one line with the number and the last time, where further
 * objects or nothing at all would hide what matters. What goes beyond the limits is left out, and how much that was
 * is said in the next note.
 */
export function eventRecorder(kube: Kube, options: EventRecorderOptions): EventRecorder {
  const { regarding, now, signal, onProblem } = options;
  const known = new LRUCache<string, Series>({ max: REMEMBERED });
  const waiting: Series[] = [];
  let tokens = BURST;
  let refilled = now().getTime();
  let leftOut = 0;
  let failing = false;
  let sending: Promise<void> | undefined;

  const take = (time: number): boolean => {
    const more = Math.max(0, Math.floor((time - refilled) / REFILL));
    refilled = tokens + more >= BURST ? time : refilled + more * REFILL;
    tokens = Math.min(BURST, tokens + more);
    if (tokens === 0) return false;
    tokens -= 1;
    return true;
  };

  /** The series of an Event, which counts it, or a new one. */
  const seriesOf = (event: ObjectEvent, time: Date): Series => {
    const key = JSON.stringify([event.type, event.reason, event.action, event.note]);
    const old = known.get(key);
    const fresh = old !== undefined && time.getTime() - old.last.getTime() <= SERIES;
    const series = fresh
      ? old
      : { event, first: time, last: time, count: 0, name: undefined, waiting: false };
    series.count += 1;
    series.last = time;
    known.set(key, series);
    return series;
  };

  const write = async (series: Series): Promise<void> => {
    const path = eventsPath(regarding.namespace);
    const repeated =
      series.count > 1 ? { series: { count: series.count, lastObservedTime: microTime(series.last) } } : {};
    if (series.name !== undefined)
      try {
        const one = `${path}/${series.name}`;
        const contentType = 'application/merge-patch+json';
        await kube.request(
          { method: 'PATCH', path: one, contentType, body: repeated, timeout: TIMEOUT },
          signal,
        );
        return;
      } catch (error) {
        // It was deleted, as all Events are after a while: it is written anew.
        if (!isStatus(error, 404)) throw error;
      }
    const name = eventName(regarding.name, series.first);
    const more = leftOut;
    const body = {
      ...eventBody(series.event, { ...regarding, uid: regarding.uid?.() }, more),
      metadata: { name, namespace: regarding.namespace },
      eventTime: microTime(series.first),
      reportingInstance: options.instance.slice(0, 128) || 'unknown',
      ...repeated,
    };
    await kube.request({ method: 'POST', path, body, timeout: TIMEOUT }, signal);
    series.name = name;
    leftOut -= more;
  };

  const problem = (error: unknown): Problem => {
    const where = `Events about ConfigMap ${regarding.namespace}/${regarding.name}`;
    if (!isStatus(error, 403)) return { where, what: clusterError(error, 'write them', kube.server).message };
    const fix = `grant "create" and "patch" on events.events.k8s.io in namespace ${regarding.namespace} with a Role`;
    return { where, what: `writing them was denied: ${error.message}`, fix };
  };

  const send = async (): Promise<void> => {
    for (let series = waiting.shift(); series !== undefined; series = waiting.shift()) {
      series.waiting = false;
      if (signal.aborted) continue;
      try {
        await write(series);
        failing = false;
      } catch (error) {
        if (signal.aborted) continue;
        if (!failing) onProblem(problem(error));
        failing = true;
      }
    }
    sending = undefined;
  };

  return {
    record(event) {
      const time = now();
      const series = seriesOf(event, time);
      if (series.waiting || signal.aborted) return;
      if (waiting.length >= WAITING || !take(time.getTime())) {
        // One of a series is not lost: it is counted when the series is written next.
        if (series.name === undefined) leftOut += 1;
        return;
      }
      series.waiting = true;
      waiting.push(series);
      sending ??= send();
    },
    settled: async () => {
      await sending;
    },
  };
}
