import type { EngineEvent } from '../controller/events.ts';

/** An event of the engine of this kind. */
export type EventOf<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

/** Handlers of events by kind; kinds without one are passed over. */
export type EventHandlers = { readonly [K in EngineEvent['kind']]?: (event: EventOf<K>) => void };

/** Passes each event to its handler in each of these tables, in their order. */
export function dispatcher(tables: readonly EventHandlers[]): (event: EngineEvent) => void {
  return (event) => {
    for (const handlers of tables)
      (handlers[event.kind] as ((event: EngineEvent) => void) | undefined)?.(event);
  };
}
