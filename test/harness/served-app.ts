import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The built app, running. Disposing it stops it and deletes its data folder. */
export interface ServedApp extends AsyncDisposable {
  /** Base of the API without `/v1`. */
  readonly url: string;
  readonly dataDir: string;
  readonly pid: number;
  /** As Ctrl-C does; resolves when the process has ended. */
  stop(): Promise<void>;
  /** Asks the admin interface, as the command line does. */
  admin<Answer>(call: string, input: object): Promise<Answer>;
}

/**
 * Starts the built app under plain Node on a free port, in a data folder of its own.
 * @param modelsYaml `null` starts with what is shipped, as a new user does
 * @param options variables besides those of this process, and files that are in the data folder before the start
 */
export async function serveApp(
  modelsYaml: string | null,
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly files?: Readonly<Record<string, string>>;
  } = {},
): Promise<ServedApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'roundhouse-served-'));
  if (modelsYaml !== null) await writeFile(join(dataDir, 'models.yaml'), modelsYaml);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await writeFile(join(dataDir, name), text, { mode: 0o600 });
  }
  const args = ['out/main/headless.js', '--port', '0', '--json', '--data-dir', dataDir];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ROUNDHOUSE_CANARY: 'a key that engines must not see', ...options.env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line).url));
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code} before it was ready`)));
  });
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
  return {
    url,
    dataDir,
    pid: child.pid ?? 0,
    async admin<Answer>(call: string, input: object) {
      const response = await fetch(`${url}/admin/${call.replace('.', '/')}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(input),
      });
      if (!response.ok) throw new Error(`${call}: ${response.status} ${await response.text()}`);
      // What the call answers is in `contract.ts`.
      return (await response.json()) as Answer;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
