/** What `discover -o json` prints, as far as the cases look at it. */

export interface DiscoveredCondition {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

interface DiscoveredBackend {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly endpoint: string;
  readonly description: string;
  readonly alternates: readonly string[];
  readonly conditions: readonly DiscoveredCondition[];
}

export interface DiscoveredDocument {
  readonly services: readonly DiscoveredBackend[];
  readonly warnings: readonly { readonly where: string; readonly what: string; readonly fix?: string }[];
}
