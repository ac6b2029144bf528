const CONTEXT = ' (context ';

/** An API server of a kubeconfig, for messages. @param origin the paths of the kubeconfig */
export const fromKubeconfig = (url: string, context: string, origin: string): string =>
  `${url}${CONTEXT}${context} of ${origin})`;

/** Whether such a text is of a kubeconfig, which may have other contexts. In a Pod, there are none. */
export const isFromKubeconfig = (server: string): boolean => server.includes(CONTEXT);
