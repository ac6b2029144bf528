import type { FastifyReply, FastifyRequest } from 'fastify';
import { countOf } from '../model/count-of.ts';
import type { LogSampler } from '../telemetry/log-sampler.ts';
import type { Logger } from '../telemetry/logger.ts';
import { addressKey } from './address-key.ts';

/** Maximum length of a client's text in the log. */
const MAX_TEXT = 200;

/** Truncates a client's text for the log. */
export const short = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;

/** The path of a request without its query, for the log. */
export const pathOf = (url: string): string => short(url.split('?', 1)[0] ?? '');

/** Adds the number of similar lines that were not logged. */
export const counted = (message: string, more: number): string =>
  more === 0
    ? message
    : `${message}; ${countOf(more, 'similar line')} ${more === 1 ? 'was' : 'were'} not logged`;

/** Logs completed requests. Rejected ones are sampled, since anyone can cause them. */
export function answerLog(
  log: Logger,
  component: string,
  sampled: LogSampler,
): (request: FastifyRequest, reply: FastifyReply) => void {
  return (request, reply) => {
    const { statusCode } = reply;
    const { probe = false } = request.routeOptions.config ?? {};
    // The guard logs rejected requests. An error of a client is not one of the server.
    const rejected = statusCode === 401 || statusCode === 403;
    const level = probe || rejected || statusCode < 400 ? 'debug' : statusCode >= 500 ? 'error' : 'info';
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
