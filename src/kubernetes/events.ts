import { LRUCache } from 'lru-cache';
import type { Problem } from '../model/discovery.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import type { Kube } from './connection.ts';
import { type EventBudget, EventBudgets } from './event-budget.ts';
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
  /** Runs something after so many milliseconds; it must not keep the process alive. */
  readonly later?: (run: () => void, milliseconds: number) => void;
}

export interface EventRecorder {
  /** Tells an Event; returns at once and never throws. */
  readonly record: (event: ObjectEvent) => void;
  /** Resolves when all that was told has been written or given up; aborting the signal makes it soon. */
  readonly settled: () => Promise<void>;
}

/** The same Event within so many milliseconds is one more of a series. */
const SERIES = 10 * 60_000;
/** Most different Events that are remembered for series, of one reason. */
const REMEMBERED = 64;
/** Longest time for one request, in milliseconds. */
const TIMEOUT = 10_000;

/** An Event and how often it was told. */
interface Series {
  readonly event: ObjectEvent;
  readonly budget: EventBudget<Series>;
  readonly first: Date;
  last: Date;
  count: number;
  /** The name of the object that was written for it. */
  name: string | undefined;
  waiting: boolean;
  /** Events that were left out before it, which it is to tell of. */
  leftOut: number;
}

/**
 * Writes `events.k8s.io/v1` Events about a ConfigMap, one after another. The same Event within ten minutes makes the
 * first one a series: `kubectl get events` then shows one line with the number and the last time, where further
 * objects or nothing at all would hide what matters. Each reason, and each Service or namespace that an Event is about, has
 * a budget of its own, so none starves another. Of what goes beyond it, the last Event is written as soon as it may be, and
 * its note says how many were left out before it.
 */
export function eventRecorder(kube: Kube, options: EventRecorderOptions): EventRecorder {
  const { regarding, now, signal, onProblem } = options;
  const later = options.later ?? ((run, milliseconds) => void setTimeout(run, milliseconds).unref());
  /** Series by reason and then by all that makes them one. */
  const remembered = new Map<string, LRUCache<string, Series>>();
  const waiting: Series[] = [];
  const budgets = new EventBudgets<Series>();
  let failing = false;
  let sending: Promise<void> | undefined;

  /** The series of an Event, which counts it, or a new one. */
  const seriesOf = (event: ObjectEvent, time: Date): Series => {
    const known = remembered.get(event.reason) ?? new LRUCache<string, Series>({ max: REMEMBERED });
    remembered.set(event.reason, known);
    const key = JSON.stringify([event.type, event.action, event.note]);
    const old = known.get(key);
    const fresh = old !== undefined && time.getTime() - old.last.getTime() <= SERIES;
    const series = fresh
      ? old
      : {
          event,
          budget: budgets.of(event, time.getTime()),
          first: time,
          last: time,
          count: 0,
          name: undefined,
          waiting: false,
          leftOut: 0,
        };
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
    const body = {
      ...eventBody(series.event, { ...regarding, uid: regarding.uid?.() }, series.leftOut),
      metadata: { name, namespace: regarding.namespace },
      eventTime: microTime(series.first),
      reportingInstance: options.instance.slice(0, 128) || 'unknown',
      ...repeated,
    };
    await kube.request({ method: 'POST', path, body, timeout: TIMEOUT }, signal);
    series.name = name;
    series.leftOut = 0;
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
      } finally {
        // What could not be said of them is said by the next one.
        series.budget.leftOut += series.leftOut;
        series.leftOut = 0;
      }
    }
    sending = undefined;
  };

  const enqueue = (series: Series): void => {
    series.waiting = true;
    series.leftOut = series.budget.leftOut;
    series.budget.leftOut = 0;
    waiting.push(series);
    sending ??= send();
  };

  /** Writes what was too much, when it is not any more. */
  const retry = (budget: EventBudget<Series>): void => {
    const { deferred } = budget;
    if (signal.aborted || deferred === undefined) return;
    const time = now().getTime();
    if (!budget.take(time)) {
      later(() => retry(budget), budget.wait(time));
      return;
    }
    budget.deferred = undefined;
    if (!deferred.waiting) enqueue(deferred);
  };

  /** Gives up what waits for its turn, for something newer. One of a series is not lost: it is counted with the next. */
  const supersede = (budget: EventBudget<Series>, by: Series | undefined): void => {
    const { deferred } = budget;
    if (deferred !== undefined && deferred !== by && deferred.name === undefined) budget.leftOut += 1;
    budget.deferred = by;
  };

  return {
    record(event) {
      const time = now();
      const series = seriesOf(event, time);
      const { budget } = series;
      if (series.waiting || signal.aborted) return;
      if (budget.take(time.getTime())) {
        if (budget.deferred === series) budget.deferred = undefined;
        supersede(budget, undefined);
        enqueue(series);
        return;
      }
      const isFirst = budget.deferred === undefined;
      supersede(budget, series);
      if (isFirst) later(() => retry(budget), budget.wait(time.getTime()));
    },
    settled: async () => {
      await sending;
    },
  };
}
