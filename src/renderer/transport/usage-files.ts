import { errorOfResponse, unreachable } from './http-error.ts';

export type UsageFormat = 'csv' | 'jsonl';

/** The kept requests from `fromMs` on as a file, the newest first. @throws RoundhouseError */
export type FetchUsage = (format: UsageFormat, fromMs: number, signal: AbortSignal) => Promise<Blob>;

export interface UsageFilesOptions {
  /** Origin of the app, without a slash at the end; empty for the page's own. */
  readonly baseUrl: string;
  readonly token: string;
  readonly fetch: typeof fetch;
}

/** Asks the port, which gives a file of any length; not a plain link, which cannot send the Authorization header. */
export function createFetchUsage(options: UsageFilesOptions): FetchUsage {
  return async (format, fromMs, signal) => {
    const url = `${options.baseUrl}/admin/usage/export?format=${format}&fromMs=${Math.round(fromMs)}`;
    const headers = { authorization: `Bearer ${options.token}` };
    const response = await options.fetch(url, { headers, signal }).catch((error: unknown) => {
      throw unreachable(error);
    });
    if (!response.ok) throw await errorOfResponse(response);
    return response.blob();
  };
}
