import { LRUCache } from 'lru-cache';
import type { Problem } from '../model/discovery.ts';
import type { ObjectEvent } from '../model/object-event.ts';
import type { KubeClient } from './connection.ts';
import { type EventBudget, EventBudgets } from './event-budget.ts';
import { eventBody, eventName, eventsPath, microTime } from './event-object.ts';
import { clusterError, isStatus } from './status.ts';

export interface EventRecorderOptions {
  /** The ConfigMap that the Events are about. `uid` is a function because it changes when the object is recreated. */
  readonly regarding: {
    readonly namespace: string;
    readonly name: string;
    readonly uid?: () => string | undefined;
  };
  /** The value of `reportingInstance`: the name of the Pod or host. */
  readonly instance: string;
  readonly now: () => Date;
  /** Called once when Events cannot be written. */
  readonly onProblem: (problem: Problem) => void;
  /** Aborting it stops all writes. */
  readonly signal: AbortSignal;
  /** Runs a function after a delay; must not keep the process alive. */
  readonly schedule?: (run: () => void, milliseconds: number) => void;
}

export interface EventRecorder {
  /** Queues an Event. Returns immediately, and never throws. */
  readonly record: (event: ObjectEvent) => void;
  /** Resolves when all queued Events are written or have failed. Aborting the signal discards the queue. */
  readonly flush: () => Promise<void>;
}

/** An equal Event within this time continues a series, in milliseconds. */
const SERIES = 10 * 60_000;
/** Maximum number of series per reason. */
const MAX_SERIES = 64;
/** Timeout of one request, in milliseconds. */
const TIMEOUT = 10_000;

/** An Event and its number of occurrences. */
interface Series {
  readonly event: ObjectEvent;
  readonly budget: EventBudget<Series>;
  readonly first: Date;
  last: Date;
  count: number;
  /** Name of the Event object, once it exists. */
  name: string | undefined;
  waiting: boolean;
  /** Number of dropped Events that its note reports. */
  leftOut: number;
}

/**
 * Writes `events.k8s.io/v1` Events about a ConfigMap, one after another. An equal Event within ten minutes turns the first one into a
 * series, which `kubectl get events` shows as one line with a count and the last time. Each reason, and each Service or namespace
 * that an Event is about, has its own budget, so none starves another. The last Event over the budget is written as soon as the
 * budget allows, and its note says how many were dropped before it.
 */
export function eventRecorder(kube: KubeClient, options: EventRecorderOptions): EventRecorder {
  const { regarding, now, signal, onProblem } = options;
  const schedule = options.schedule ?? ((run, milliseconds) => void setTimeout(run, milliseconds).unref());
  /** Series by reason, then by type, action and note. */
  const remembered = new Map<string, LRUCache<string, Series>>();
  const waiting: Series[] = [];
  const budgets = new EventBudgets<Series>();
  let failing = false;
  let sending: Promise<void> | undefined;

  /** Counts an Event in its series, which is created if necessary. */
  const seriesOf = (event: ObjectEvent, time: Date): Series => {
    const known = remembered.get(event.reason) ?? new LRUCache<string, Series>({ max: MAX_SERIES });
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
        // Events expire. Write a new one.
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
        // If the write failed, the next Event reports these.
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

  /** Writes the deferred Event as soon as the budget allows. */
  const retry = (budget: EventBudget<Series>): void => {
    const { deferred } = budget;
    if (signal.aborted || deferred === undefined) return;
    const time = now().getTime();
    if (!budget.take(time)) {
      schedule(() => retry(budget), budget.wait(time));
      return;
    }
    budget.deferred = undefined;
    if (!deferred.waiting) enqueue(deferred);
  };

  /** Replaces the deferred Event with a newer one. An existing series is not lost: its count is written with the next Event. */
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
      if (isFirst) schedule(() => retry(budget), budget.wait(time.getTime()));
    },
    flush: async () => {
      await sending;
    },
  };
}
