/** The content of a Kubernetes Event, without the object that it is about. */
export interface ObjectEvent {
  readonly type: 'Normal' | 'Warning';
  /** Machine-readable reason in CamelCase, at most 128 characters. */
  readonly reason: string;
  /** The action that succeeded or failed, in CamelCase, at most 128 characters. */
  readonly action: string;
  /**
   * The Service (`namespace/name`) or namespace that caused it. Each has a budget of its own.
   */
  readonly about?: string;
  /** Human-readable message, truncated at 1024 bytes. */
  readonly note: string;
}
