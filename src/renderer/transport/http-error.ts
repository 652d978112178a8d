import { type ErrorCode, HTTP_STATUS, RoundhouseError } from '../../shared/errors.ts';

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(HTTP_STATUS, code);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * Turns a refused response into the error that the app threw. What stands between page and app (a proxy, an older
 * app) may answer with anything, so nothing about the body is taken for granted.
 */
export async function errorOfResponse(response: Response): Promise<RoundhouseError> {
  const text = await response.text().catch(() => '');
  const error = field(parse(text), 'error');
  const code = field(error, 'code');
  const message = field(error, 'message');
  const param = field(error, 'param');
  return new RoundhouseError(
    isErrorCode(code) ? code : codeOfStatus(response.status),
    typeof message === 'string' ? message : `The app answered ${response.status} without saying why.`,
    typeof param === 'string' ? { param } : {},
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function codeOfStatus(status: number): ErrorCode {
  return status === 401 || status === 403 ? 'invalid_api_key' : 'internal_error';
}

/** The app could not be reached at all. */
export function unreachable(cause: unknown): RoundhouseError {
  return new RoundhouseError(
    'shutting_down',
    'Roundhouse does not answer. If it was stopped, start it again.',
    { cause },
  );
}
