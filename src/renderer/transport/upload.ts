import { RoundhouseError } from '../../shared/errors.ts';
import { errorOfResponse, unreachable } from './http-error.ts';
import type { LocateOptions } from './transport.ts';

/**
 * Sends `file` as the body of a POST and gives the answer. With an XMLHttpRequest: fetch does not tell how far an
 * upload is.
 * @throws RoundhouseError `cancelled`, what the app refused it with, or `shutting_down` when it does not answer
 */
export function uploadFile(
  url: string,
  token: string,
  file: File,
  { onProgress, signal }: LocateOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancelled = () => reject(new RoundhouseError('cancelled', `Sending ${file.name} was cancelled.`));
    if (signal.aborted) {
      cancelled();
      return;
    }
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal.addEventListener('abort', stop, { once: true });
    request.onloadend = () => signal.removeEventListener('abort', stop);
    request.onabort = cancelled;
    request.onerror = () => reject(unreachable(new Error(`POST ${url} broke off`)));
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      const { status, responseText } = request;
      if (status >= 200 && status < 300) resolve(JSON.parse(responseText));
      else void errorOfResponse(new Response(responseText, { status })).then(reject);
    };
    request.open('POST', url);
    request.setRequestHeader('authorization', `Bearer ${token}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.send(file);
  });
}
