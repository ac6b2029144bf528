import type { EngineEvent } from '../controller/events.ts';

/** The engine event of a kind. */
export type EventOf<K extends EngineEvent['kind']> = Extract<EngineEvent, { kind: K }>;

/** Event handlers by kind. Kinds without a handler are ignored. */
export type EventHandlers = { readonly [K in EngineEvent['kind']]?: (event: EventOf<K>) => void };

/** Dispatches each event to its handlers, in the order of the tables. */
export function dispatcher(tables: readonly EventHandlers[]): (event: EngineEvent) => void {
  return (event) => {
    for (const handlers of tables)
      (handlers[event.kind] as ((event: EngineEvent) => void) | undefined)?.(event);
  };
}
