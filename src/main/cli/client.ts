import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createParser } from 'eventsource-parser';
import type { CallInput, CallName, CallOutput, StreamInput, StreamName } from '../../shared/contract.ts';
import type { StreamPart } from '../../shared/generation.ts';
import { CliExit, EXIT } from './exit.ts';

const HOW_TO_START = 'Start it with `npm start` or `roundhouse serve`.';

/** The running app, as its data folder tells where it is. */
export class AppClient {
  readonly #dataDir: string;
  readonly #url: string;
  readonly #token: string;

  private constructor(dataDir: string, url: string, token: string) {
    this.#dataDir = dataDir;
    this.#url = url;
    this.#token = token;
  }

  /** @throws CliExit `notRunning` when the data folder names no app */
  static async find(dataDir: string): Promise<AppClient> {
    const url = urlOf(await read(dataDir, 'runtime.json'));
    if (url === null) throw notRunning(`${join(dataDir, 'runtime.json')} is damaged`);
    return new AppClient(dataDir, url, (await read(dataDir, 'admin-token')).trim());
  }

  /** @throws CliExit with the app's own words when it refuses */
  async call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>> {
    const response = await this.#post(name, input, null);
    // The app answers as the contract says; both are of the same version.
    return JSON.parse(await textOf(response)) as CallOutput<Name>;
  }

  /** The parts of an answer. @throws CliExit; whatever `signal` was aborted with */
  async *stream<Name extends StreamName>(
    name: Name,
    input: StreamInput<Name>,
    signal: AbortSignal,
  ): AsyncGenerator<StreamPart> {
    const response = await this.#post(name, input, signal);
    const parts: StreamPart[] = [];
    // As above: what the app sends is what the contract says.
    const parser = createParser({ onEvent: ({ data }) => parts.push(JSON.parse(data) as StreamPart) });
    response.setEncoding('utf8');
    try {
      for await (const chunk of response) {
        parser.feed(String(chunk));
        yield* parts.splice(0);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw new CliExit(EXIT.failed, `the connection to Roundhouse broke (${reasonOf(error)})`);
    }
  }

  /** Posts without any time-out: a large model may take minutes to load, and a busy one to unload. */
  async #post(name: string, input: unknown, signal: AbortSignal | null): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = request(`${this.#url}/admin/${name.replace('.', '/')}`, {
        method: 'POST',
        ...(signal === null ? {} : { signal }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      });
      call.on('response', resolve);
      call.on('error', reject);
      call.end(JSON.stringify(input));
    }).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (codeOf(error) !== 'ECONNREFUSED') {
        throw new CliExit(
          EXIT.failed,
          `the connection to Roundhouse at ${this.#url} broke (${reasonOf(error)})`,
        );
      }
      throw notRunning(`nothing answers at ${this.#url}, which ${join(this.#dataDir, 'runtime.json')} names`);
    });
    if (response.statusCode === 200) return response;
    throw new CliExit(EXIT.failed, refusalOf(await textOf(response), response.statusCode ?? 0));
  }
}

async function read(dataDir: string, name: string): Promise<string> {
  try {
    return await readFile(join(dataDir, name), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw notRunning(`no ${name} in ${dataDir}`);
    throw new CliExit(
      EXIT.failed,
      `${join(dataDir, name)} cannot be read (${reasonOf(error)}); is it another user's?`,
    );
  }
}

function notRunning(why: string): CliExit {
  return new CliExit(EXIT.notRunning, `Roundhouse is not running (${why}). ${HOW_TO_START}`);
}

function urlOf(runtimeJson: string): string | null {
  const url = field(parse(runtimeJson), 'url');
  return typeof url === 'string' && /^http:\/\/[^/\s]+$/.test(url) ? url : null;
}

function refusalOf(body: string, status: number): string {
  const message = field(field(parse(body), 'error'), 'message');
  return typeof message === 'string' ? message : `Roundhouse answered ${status} without saying why`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function codeOf(error: unknown): string | null {
  const code = field(error, 'code');
  return typeof code === 'string' ? code : null;
}

function reasonOf(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.message : String(error));
}
