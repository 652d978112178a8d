import type { Clock } from '../../shared/clock.ts';
import type { CallInput, CallName, CallOutput, StreamInput, StreamName } from '../../shared/contract.ts';
import { RoundhouseError } from '../../shared/errors.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { errorOfResponse, unreachable } from './http-error.ts';
import { followEvents } from './http-events.ts';
import { readEventData } from './sse.ts';
import type { LocateOptions, Transport } from './transport.ts';

export interface HttpTransportOptions {
  /** Origin of the app, without a slash at the end; empty for the page's own. */
  readonly baseUrl: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** Sends a file as the body of a POST and gives the answer; given, because only a browser can tell how far it is. */
  readonly upload: (url: string, token: string, file: File, options: LocateOptions) => Promise<unknown>;
}

/** Reaches the app under `/admin` on the port that also serves the API. */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { baseUrl, token } = options;

  async function post(name: string, input: unknown, signal: AbortSignal | null): Promise<Response> {
    const response = await options
      .fetch(`${baseUrl}/admin/${name.replace('.', '/')}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(input),
        signal,
      })
      .catch((error: unknown) => {
        throw unreachable(error);
      });
    if (!response.ok) throw await errorOfResponse(response);
    return response;
  }

  return {
    async call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>> {
      const response = await post(name, input, null);
      // The app on the other side is built from the same contract; its answers are not checked a second time.
      return (await response.json()) as CallOutput<Name>;
    },

    async *stream<Name extends StreamName>(name: Name, input: StreamInput<Name>, signal: AbortSignal) {
      let complete = false;
      try {
        const response = await post(name, input, signal);
        for await (const data of response.body === null ? [] : readEventData(response.body)) {
          // As above: parts come from the same contract.
          const part = JSON.parse(data) as StreamPart;
          complete ||= part.type === 'usage' || part.type === 'error';
          yield part;
        }
        if (!complete && !signal.aborted) yield brokenOff();
      } catch (error) {
        if (signal.aborted) return;
        yield error instanceof RoundhouseError ? errorPart(error) : brokenOff(error);
      }
    },

    async locate(file, locating) {
      const url = `${baseUrl}/admin/models/upload?name=${encodeURIComponent(file.name)}`;
      // As above: the answer comes from the same contract.
      const { path } = (await options.upload(url, token, file, locating)) as { readonly path: string };
      return path;
    },

    subscribe: (onEvent, onConnection = () => undefined) =>
      followEvents({ ...options, onEvent, onConnection }),
  };
}

function errorPart(error: RoundhouseError): StreamPart {
  return { type: 'error', error: error.toJSON() };
}

function brokenOff(cause?: unknown): StreamPart {
  return errorPart(
    new RoundhouseError('engine_failed', 'The connection broke before the answer was complete. Try again.', {
      cause,
    }),
  );
}
