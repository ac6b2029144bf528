import { type Answer, type Handler, page, send, text, to, wall } from '../answers.ts';

/**
 * oauth2-proxy for browsers: a page for signing in, with 403.
 * Source: https://oauth2-proxy.github.io/oauth2-proxy/behaviour/
 */
export const OAUTH2_PROXY: Handler = (request, response) => {
  const { url = '/' } = request;
  if (url === '/ping') send(response, text('OK'));
  else send(response, page('<!DOCTYPE html><html lang="en"><head><title>Sign In</title></head></html>', 403));
};

/** oauth2-proxy with `skip_provider_button`: it leads to the provider at once. */
export const OAUTH2_REDIRECT: Handler = wall(
  to('https://id.example.com/oauth2/v1/authorize?client_id=metrics&response_type=code', 302),
);

/** Source: https://github.com/openshift/oauth-proxy/blob/master/oauthproxy.go (the sign-in page has 403) */
export const OPENSHIFT_OAUTH: Handler = wall(
  page(
    '<!DOCTYPE html><html><head><title>Log In</title></head><body><form action="/oauth/start"></form></body></html>',
    403,
  ),
);

/** Source: https://github.com/brancz/kube-rbac-proxy/blob/master/pkg/authn/ */
export const KUBE_RBAC_PROXY: Handler = wall(text('Unauthorized\n', 401));

/** HTTP basic authentication, as nginx and many products ask for it. */
export const basicLogin = (realm: string): Answer =>
  text('401 Unauthorized\n', 401, { 'www-authenticate': `Basic realm="${realm}"` });
