import type { FastifyRequest } from 'fastify';
import { RoundhouseError } from '../../../shared/errors.ts';
import type { Caller } from '../ports.ts';
import type { BodyOrigin } from './shared-fields.ts';

const LONGEST_USER_CHARS = 512;
const LONGEST_CONTENT_TYPE_CHARS = 128;

/**
 * Who asks, and what about. The user: the body's, else the header's, else the API key's name. The content type: the
 * header's, else the body's.
 * @throws RoundhouseError `invalid_request` for a header that is too long
 */
export function callerOf({ exchange, headers }: FastifyRequest, origin: BodyOrigin): Caller {
  const user = headerOf(headers['x-roundhouse-user'], 'X-Roundhouse-User', LONGEST_USER_CHARS);
  const contentType = headerOf(
    headers['x-roundhouse-content-type'],
    'X-Roundhouse-Content-Type',
    LONGEST_CONTENT_TYPE_CHARS,
  );
  return {
    requestId: exchange.requestId,
    keyName: exchange.keyName,
    user: origin.user ?? user ?? exchange.keyName,
    contentType: contentType ?? origin.contentType,
  };
}

/** Empty is as good as left out; of several, Node joins the values with commas. */
function headerOf(value: string | string[] | undefined, name: string, longestChars: number): string | null {
  const text = (typeof value === 'string' ? value : (value?.[0] ?? '')).trim();
  if (text.length <= longestChars) return text === '' ? null : text;
  throw new RoundhouseError(
    'invalid_request',
    `The header ${name} must have at most ${longestChars} characters, not ${text.length}.`,
  );
}
