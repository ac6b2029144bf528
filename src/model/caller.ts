/** An authenticated user, as the API server identifies it. @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/ */
export interface Caller {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The result of a token review. `why` is the message of the API server. */
export type TokenVerdict =
  | { readonly authenticated: true; readonly user: Caller }
  | { readonly authenticated: false; readonly why: string };

/** The attributes of an access review. @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
export type AccessAttributes =
  | {
      readonly resourceAttributes: {
        readonly verb: string;
        readonly group: string;
        readonly resource: string;
        readonly subresource?: string;
        readonly namespace?: string;
        readonly name?: string;
      };
    }
  | { readonly nonResourceAttributes: { readonly verb: string; readonly path: string } };

/** The result of an access review. `reason` may be empty. */
export interface AccessVerdict {
  readonly allowed: boolean;
  readonly reason: string;
}
