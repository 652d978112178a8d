import type { Socket } from 'node:net';

const STATUS_OF_CODE: ReadonlyMap<string, { readonly line: string; readonly message: string }> = new Map([
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { line: '408 Request Timeout', message: 'The request did not arrive in time.' },
  ],
  [
    'HPE_HEADER_OVERFLOW',
    { line: '431 Request Header Fields Too Large', message: 'The headers are too large.' },
  ],
]);
const OTHERWISE = { line: '400 Bad Request', message: 'This is not a valid HTTP request.' };

/**
 * Connections on which a request may take as long as it likes to arrive. Node knows one time for all requests; for one
 * that is exempt it speaks up once, and then leaves it alone.
 */
export type Unhurried = WeakSet<Socket>;

/** Answers what Node could not read as HTTP, where no other answer is under way on the same connection, and hangs up. */
export function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket, unhurried: Unhurried): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && unhurried.has(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { line, message } = STATUS_OF_CODE.get(error.code ?? '') ?? OTHERWISE;
  const body = JSON.stringify({
    error: { message, type: 'invalid_request_error', param: null, code: 'invalid_request' },
  });
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
