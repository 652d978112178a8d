import { chmod, readFile, rm, stat } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { RoundhouseError } from '../../shared/errors.ts';
import type { ProviderSettings } from './settings.ts';

/** Keeps providers' keys where they belong. What it gives is never logged, shown or handed to an engine. */
export interface Secrets {
  /** Where they are kept, in words that follow "in". */
  readonly where: string;
  /** @throws RoundhouseError `config_invalid` when what is kept cannot be read */
  get(name: string): Promise<string | null>;
  /** @throws RoundhouseError `config_invalid`, as `get`; `invalid_request` for what cannot be a key */
  set(name: string, value: string): Promise<void>;
  /** @throws RoundhouseError `config_invalid`, as `get` */
  delete(name: string): Promise<void>;
}

/** Turns a secret into what may lie on the disk, and back. */
export interface Seal {
  close(secret: string): Promise<string>;
  /** `null` = it was closed by someone else. `stale` = it should be closed anew. */
  open(closed: string): Promise<{ readonly secret: string; readonly stale: boolean } | null>;
}

/** The file itself is the protection: its owner alone can read it. */
export const OWNER_ONLY: Seal = {
  close: async (secret) => secret,
  open: async (closed) => ({ secret: closed, stale: false }),
};

/**
 * What a provider's key is kept under. It names the place that the key is for: with another address in models.yaml the
 * key is not found, instead of being sent there.
 */
export function secretNameOf({
  name,
  kind,
  baseUrl,
}: Pick<ProviderSettings, 'name' | 'kind' | 'baseUrl'>): string {
  return `${name} at ${baseUrl === null ? kind : new URL(baseUrl).origin}`;
}

export interface SecretFileOptions {
  /** Absolute. */
  readonly file: string;
  readonly where: string;
  readonly seal: Seal;
  /** Takes what the user should know, as a sentence. */
  readonly warn: (message: string) => void;
}

const fileSchema = z.record(z.string(), z.string());
const SECRET = /^[!-~]{1,512}$/;

/** Secrets in one file of mode 0600, read at each use so that an edit by hand holds. */
export class SecretFile implements Secrets {
  readonly where: string;
  readonly #options: SecretFileOptions;
  /** Changes, one after another: none is lost to another that began with the same contents. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: SecretFileOptions) {
    this.where = options.where;
    this.#options = options;
  }

  async get(name: string): Promise<string | null> {
    const closed = (await this.#read()).get(name);
    if (closed === undefined) return null;
    const opened = await this.#options.seal.open(closed);
    if (opened?.stale) await this.set(name, opened.secret);
    return opened?.secret ?? null;
  }

  async set(name: string, value: string): Promise<void> {
    if (!SECRET.test(value)) {
      const rule = 'a key is up to 512 printable ASCII characters without spaces';
      throw new RoundhouseError('invalid_request', `this cannot be a key: ${rule}`, { param: 'key' });
    }
    const closed = await this.#options.seal.close(value);
    await this.#change((secrets) => secrets.set(name, closed));
  }

  delete(name: string): Promise<void> {
    return this.#change((secrets) => secrets.delete(name));
  }

  #change(change: (secrets: Map<string, string>) => void): Promise<void> {
    const work = this.#work.then(async () => {
      const secrets = await this.#read();
      change(secrets);
      await this.#write(secrets);
    });
    this.#work = work.catch(() => undefined);
    return work;
  }

  async #write(secrets: ReadonlyMap<string, string>): Promise<void> {
    const { file } = this.#options;
    try {
      if (secrets.size === 0) return await rm(file, { force: true });
      await writeFileAtomic(file, `${JSON.stringify(Object.fromEntries(secrets), null, 2)}\n`, {
        mode: 0o600,
      });
    } catch (error) {
      throw new RoundhouseError(
        'internal_error',
        `${file} could not be written (${codeOf(error)}); it is unchanged`,
        {
          cause: error,
        },
      );
    }
  }

  async #read(): Promise<Map<string, string>> {
    const { file } = this.#options;
    let text: string;
    try {
      await this.#keepPrivate();
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return new Map();
      throw new RoundhouseError(
        'config_invalid',
        `${file} cannot be read (${codeOf(error)}); no keys are known`,
      );
    }
    const parsed = fileSchema.safeParse(parseJson(text));
    if (parsed.success) return new Map(Object.entries(parsed.data));
    // Its contents are not quoted: they are keys.
    const message = `${file} is not what Roundhouse wrote; repair it, or delete it and set the keys again`;
    throw new RoundhouseError('config_invalid', message);
  }

  /** A file that others could read, after a careless copy, is closed; what was read cannot be taken back. */
  async #keepPrivate(): Promise<void> {
    const { file, warn } = this.#options;
    const { mode } = await stat(file);
    if ((mode & 0o077) === 0) return;
    await chmod(file, 0o600);
    warn(`${file} could be read by others; now only by you. If others use this machine, make new keys.`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
