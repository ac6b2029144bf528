/** A generated address without its scheme and trailing slashes. The addresses of Kafka's brokers have no scheme. */
export const bareAddress = (address: string): string =>
  address.replace(/^[a-z]+:\/\//, '').replace(/\/+$/, '');

/** `HOST:PORT` of a generated address. */
export const originOf = (address: string): string => bareAddress(address).split('/', 1)[0] ?? '';
