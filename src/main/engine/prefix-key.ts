import { createHash } from 'node:crypto';
import type { EngineSettings } from '../config/settings.ts';
import { readIdentity } from './gguf-files.ts';

/** Changes when the engine's way of writing or naming states does. */
const FORMAT = 1;

/**
 * Names what a saved state belongs to: restored into anything else it may crash the process. Everything goes in that the
 * layout or the values of a state depend on; threads and the chat template do not (tokens are compared one by one).
 * @param build llama.cpp's version and device, as the engine told
 * @returns 32 hexadecimal digits
 * @throws the error of `stat` when a file of the model is not there
 */
export async function prefixKey(path: string, settings: EngineSettings, build: string): Promise<string> {
  const { threads: _threads, chatTemplateFile: _template, ...state } = settings;
  const parts = [FORMAT, build, path, await readIdentity(path), sorted(state)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

function sorted(settings: object): [string, unknown][] {
  return Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
