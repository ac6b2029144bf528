import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LogSampler } from '../telemetry/log-sampler.ts';
import type { Logger } from '../telemetry/logger.ts';
import { addressKey } from './address-key.ts';

/** Most characters of a text of a client in the log. */
const MAX_TEXT = 200;

/** A text of a client, short enough for the log. */
export const short = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;

/** The path of a request without its query, for the log. */
export const pathOf = (url: string): string => short(url.split('?', 1)[0] ?? '');

/** A message that stands for more lines like it. */
export const counted = (message: string, more: number): string =>
  more === 0 ? message : `${message}; ${more} more like it were not logged`;

/** Logs requests that were answered; those that were refused as samples, since anybody can cause them. */
export function answerLog(
  log: Logger,
  component: string,
  sampled: LogSampler,
): (request: FastifyRequest, reply: FastifyReply) => void {
  return (request, reply) => {
    const { statusCode } = reply;
    const { probe = false } = request.routeOptions.config ?? {};
    // The guard logs who was not let in. A mistake of a client is not an error of the server.
    const told = statusCode === 401 || statusCode === 403;
    const level = probe || told || statusCode < 400 ? 'debug' : statusCode >= 500 ? 'error' : 'info';
    if (!log.isLevelEnabled(level)) return;
    const fields = {
      component,
      request_id: request.id,
      method: request.method,
      path: pathOf(request.url),
      status_code: statusCode,
      duration: Math.round(reply.elapsedTime) / 1000,
      remote_addr: request.ip,
      user_agent: short(request.headers['user-agent'] ?? ''),
    };
    if (level === 'debug') log.debug(fields, 'request answered');
    else
      sampled.log(`${statusCode} ${addressKey(request.ip)}`, (more) =>
        log[level]({ ...fields, ...(more === 0 ? {} : { more }) }, counted('request answered', more)),
      );
  };
}
