import type { ObjectEvent } from '../model/object-event.ts';

/** The value of `reportingController`. */
const CONTROLLER = 'kubernaut.io/dynamic-toolset';

/** @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const MAX_NOTE_BYTES = 1024;

/** Path of the Events of a namespace. */
export const eventsPath = (namespace: string): string =>
  `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;

/** A time as `v1.MicroTime`. */
export const microTime = (time: Date): string => time.toISOString().replace(/Z$/, '000Z');

let serial = Math.floor(Math.random() * 1_000_000);

/**
 * A name for an Event, in the format of client-go: the name of its object, and the time in hexadecimal nanoseconds. A counter
 * replaces the digits below a millisecond, so that Events of the same millisecond have different names.
 */
export function eventName(object: string, time: Date): string {
  serial = (serial + 1) % 1_000_000;
  const nanoseconds = BigInt(time.getTime()) * 1_000_000n + BigInt(serial);
  return `${object.slice(0, 230).replace(/[.-]+$/, '')}.${nanoseconds.toString(16)}`;
}

/** Truncates a text to a number of UTF-8 bytes, with an ellipsis. */
export function truncateBytes(text: string, most: number): string {
  const bytes = Buffer.from(text.toWellFormed(), 'utf8');
  if (bytes.length <= most) return bytes.toString('utf8');
  let end = most - Buffer.byteLength('…');
  // Do not cut inside a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString('utf8')}…`;
}

/**
 * The constant fields of an Event about a ConfigMap.
 * @param leftOut number of Events that were dropped before this one
 */
export function eventBody(
  { type, reason, action, note }: ObjectEvent,
  { namespace, name, uid }: { namespace: string; name: string; uid?: string | undefined },
  leftOut: number,
) {
  const suffix = leftOut === 0 ? '' : ` (${leftOut} Events before this one were left out)`;
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
    note: `${truncateBytes(note, MAX_NOTE_BYTES - Buffer.byteLength(suffix))}${suffix}`,
  };
}
