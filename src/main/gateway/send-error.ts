import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, HTTP_STATUS, RoundhouseError } from '../../shared/errors.ts';
import type { GatewayLog } from './log.ts';
import { errorBody, errorHeaders, type OpenAiErrorBody } from './openai/errors.ts';

const CODE_OF_FRAMEWORK_ERROR: ReadonlyMap<string, ErrorCode> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'payload_too_large'],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
]);

/** Reports failures: to the client in its own words, to the log what the client must not see. */
export class ErrorSender {
  readonly #log: GatewayLog;
  readonly #bodyLimitBytes: number;

  constructor(log: GatewayLog, bodyLimitBytes: number) {
    this.#log = log;
    this.#bodyLimitBytes = bodyLimitBytes;
  }

  /** Answers with the error's status, for as long as nothing has been sent. */
  send(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const error = this.#asRoundhouseError(thrown, request);
    return reply.code(HTTP_STATUS[error.code]).headers(errorHeaders(error)).send(this.body(error, request));
  }

  /** The error as a body or an event; an internal one is logged here. */
  body(thrown: unknown, request: FastifyRequest): OpenAiErrorBody {
    const error = this.#asRoundhouseError(thrown, request);
    const { requestId } = request.exchange;
    if (error.code === 'internal_error') {
      this.#log.error(
        { err: error, requestId, method: request.method, route: request.routeOptions.url },
        error.message,
      );
    }
    return errorBody(error, requestId);
  }

  #asRoundhouseError(thrown: unknown, { raw }: FastifyRequest): RoundhouseError {
    if (thrown instanceof RoundhouseError || !(thrown instanceof Error)) return RoundhouseError.from(thrown);
    const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
    // How Node ends a body that was still coming in. Nobody is left to be answered, and nothing here went wrong.
    if (code === 'ECONNRESET' && !raw.complete)
      return new RoundhouseError('cancelled', 'the client went away', { cause: thrown });
    const status = 'statusCode' in thrown && typeof thrown.statusCode === 'number' ? thrown.statusCode : 500;
    if (!code.startsWith('FST_ERR_') || status >= 500) return RoundhouseError.from(thrown);
    if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || code === 'FST_ERR_CTP_EMPTY_JSON_BODY') {
      return new RoundhouseError('invalid_request', 'The body is not valid JSON.', { cause: thrown });
    }
    if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const limitMib = this.#bodyLimitBytes / 1024 ** 2;
      return new RoundhouseError('payload_too_large', `The body is larger than ${limitMib} MiB.`, {
        cause: thrown,
      });
    }
    return new RoundhouseError(CODE_OF_FRAMEWORK_ERROR.get(code) ?? 'invalid_request', thrown.message, {
      cause: thrown,
    });
  }
}
