import { RoundhouseError } from '../shared/errors.ts';
import { checkGgufFile } from './config/gguf-file.ts';
import type { LocalModelSettings } from './config/settings.ts';

export interface FileFacts {
  readonly fileBytes: number | null;
  /** Why it cannot be loaded, in words for the user. */
  readonly problem: string | null;
}

const UNKNOWN: FileFacts = { fileBytes: null, problem: null };

/** What the models' files look like from outside: there, and GGUF, or why not. */
export class ModelFiles {
  readonly #facts = new Map<string, FileFacts>();

  of(path: string): FileFacts {
    return this.#facts.get(path) ?? UNKNOWN;
  }

  /** Looks at the files of these models, and forgets all others. */
  async refresh(models: readonly LocalModelSettings[]): Promise<void> {
    const paths = new Set(models.map((model) => model.source.path));
    for (const path of this.#facts.keys()) if (!paths.has(path)) this.#facts.delete(path);
    await Promise.all([...paths].map(async (path) => this.#facts.set(path, await lookAt(path))));
  }
}

async function lookAt(path: string): Promise<FileFacts> {
  try {
    const { sizeBytes } = await checkGgufFile(path);
    return { fileBytes: sizeBytes, problem: null };
  } catch (error) {
    return { fileBytes: null, problem: RoundhouseError.from(error).message };
  }
}
