/** What is told in a Kubernetes Event, without the object that it is about. */
export interface ObjectEvent {
  readonly type: 'Normal' | 'Warning';
  /** Why, in CamelCase, for programs: at most 128 characters. */
  readonly reason: string;
  /** What was done or failed, in CamelCase: at most 128 characters. */
  readonly action: string;
  /** For people. What is longer than 1024 bytes is cut. */
  readonly note: string;
}
