import type { ObjectEvent } from '../model/object-event.ts';

/** Who reports, for `reportingController`. */
const CONTROLLER = 'kubernaut.io/dynamic-toolset';

/** Most bytes of a note. @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const LONGEST_NOTE = 1024;

/** Path of the Events of a namespace. */
export const eventsPath = (namespace: string): string =>
  `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;

/** A time as `v1.MicroTime`. */
export const microTime = (time: Date): string => time.toISOString().replace(/Z$/, '000Z');

let serial = Math.floor(Math.random() * 1_000_000);

/**
 * A name for an Event: its object's and a time in nanoseconds, in hexadecimal, as client-go makes it. What the clock
 * does not tell is counted, so that two of one moment differ.
 */
export function eventName(object: string, time: Date): string {
  serial = (serial + 1) % 1_000_000;
  const nanoseconds = BigInt(time.getTime()) * 1_000_000n + BigInt(serial);
  return `${object.slice(0, 230).replace(/[.-]+$/, '')}.${nanoseconds.toString(16)}`;
}

/** The start of a text that has at most so many bytes in UTF-8, with an ellipsis where it was cut. */
export function cutBytes(text: string, most: number): string {
  const bytes = Buffer.from(text.toWellFormed(), 'utf8');
  if (bytes.length <= most) return bytes.toString('utf8');
  let end = most - Buffer.byteLength('…');
  // A byte that continues a character is no place to cut.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}

/**
 * The fields of an Event about a ConfigMap that do not change with time.
 * @param leftOut how many Events were not written before this one
 */
export function eventBody(
  { type, reason, action, note }: ObjectEvent,
  { namespace, name, uid }: { namespace: string; name: string; uid?: string | undefined },
  leftOut: number,
) {
  const told = leftOut === 0 ? '' : ` (${leftOut} Events before this one were left out)`;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    regarding: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace,
      name,
      ...(uid === undefined ? {} : { uid }),
    },
    reportingController: CONTROLLER,
    type,
    reason,
    action,
    note: `${cutBytes(note, LONGEST_NOTE - Buffer.byteLength(told))}${told}`,
  };
}
