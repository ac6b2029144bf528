/** What is told in a Kubernetes Event, without the object that it is about. */
export interface ObjectEvent {
  readonly type: 'Normal' | 'Warning';
  /** Why, in CamelCase, for programs: at most 128 characters. */
  readonly reason: string;
  /** What was done or failed, in CamelCase: at most 128 characters. */
  readonly action: string;
  /**
   * The Service (`namespace/name`) or namespace whose doing it is, if it is one's. Its Events have a budget of their own.
   */
  readonly about?: string;
  /** For people. What is longer than 1024 bytes is cut. */
  readonly note: string;
}
