import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { parseDocument, stringify } from 'yaml';
import type { z } from 'zod';
import { RoundhouseError } from '../../shared/errors.ts';
import { slugOf, uniqueId } from '../config/model-ids.ts';
import { editTo, plainOf } from '../yaml/edit-yaml.ts';
import { formatProblem } from '../yaml/format-problem.ts';
import { problemsOf } from '../yaml/issues.ts';
import { readText } from '../yaml/read-text.ts';
import { readYaml } from '../yaml/yaml-source.ts';
import { type Definition, definitionJsonSchema, definitionSchema } from './definition-schema.ts';
import { isYaml, PROVIDER_NAME } from './load.ts';

/** What to write of a model, as a definition file has it; what is left out stays as it is. Lists are written whole. */
export type DefinitionPatch = z.input<typeof definitionSchema>;

/**
 * Writes what was detected or edited into the user's definition of a model, with everything else there kept, comments
 * too; makes the file when there is none. Calls for one model take turns: the caller waits for one before the next.
 * @param userDir the user's catalog folder
 * @returns the file that was written
 * @throws RoundhouseError `invalid_request` for values that no definition can have; `config_invalid` when the user's
 *   file is broken, or cannot be written
 */
export async function saveDefinition(
  userDir: string,
  provider: string,
  patch: DefinitionPatch,
): Promise<string> {
  const values = checkPatch(provider, patch);
  const dir = join(userDir, 'models', provider);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const names = (await readdir(dir)).filter(isYaml).sort();
    const there = await findFile(dir, names, patch.id);
    const taken = new Set(names.map((name) => name.replace(/\.ya?ml$/i, '').toLowerCase()));
    const file = there?.file ?? join(dir, `${uniqueId(slugOf(patch.id), taken)}.yaml`);
    const text = there ? patchText(there.file, there.text, values) : stringify(values, { lineWidth: 0 });
    await writeFileAtomic(file, text, { mode: 0o600 });
    return file;
  } catch (error) {
    if (error instanceof RoundhouseError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const message = `the definition of ${provider}/${patch.id} could not be written into ${dir} (${reason}); nothing was changed`;
    throw new RoundhouseError('config_invalid', message, { cause: error });
  }
}

function checkPatch(provider: string, patch: DefinitionPatch): Definition {
  if (!PROVIDER_NAME.test(provider)) {
    throw new RoundhouseError('invalid_request', `"${provider}" cannot be the name of a provider`);
  }
  const result = definitionSchema.safeParse(patch);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue?.path.join('.') ?? '';
  throw new RoundhouseError('invalid_request', `${where}: ${issue?.message ?? 'cannot be used'}`);
}

async function findFile(
  dir: string,
  names: readonly string[],
  id: string,
): Promise<{ file: string; text: string } | null> {
  for (const name of names) {
    const file = join(dir, name);
    const text = await readText(file);
    if (typeof text === 'string' && plainOf(text).id === id) return { file, text };
  }
  return null;
}

function patchText(file: string, text: string, patch: Definition): string {
  const edited = editTo(text, merge(plainOf(text), patch), [(whole) => setAll(whole, patch)]);
  const read = edited === null ? null : readYaml(file, edited, null);
  if (edited === null || read === null) {
    throw new RoundhouseError(
      'config_invalid',
      `${file} is written in a way that cannot be changed; edit it yourself`,
    );
  }
  if ('problems' in read) throw broken(read.problems.map(formatProblem));
  const result = definitionSchema.safeParse(read.source.value);
  if (result.success) return edited;
  const checked = { file, source: read.source, jsonSchema: definitionJsonSchema };
  throw broken(problemsOf(checked, result.error.issues).map(formatProblem));
}

function broken(problems: readonly string[]): RoundhouseError {
  return new RoundhouseError(
    'config_invalid',
    `${problems.join('\n')}\nRepair the file first; it was not changed.`,
  );
}

type Section = Readonly<Record<string, unknown>>;

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function saidIn(section: Section): readonly (readonly [string, unknown])[] {
  return Object.entries(section).filter(([, value]) => value !== undefined);
}

function merge(below: Section, above: Section): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of saidIn(above)) {
    const other = merged[key];
    merged[key] = isSection(value) && isSection(other) ? merge(other, value) : value;
  }
  return merged;
}

function setAll(text: string, patch: Section): string {
  const document = parseDocument(text);
  const set = (values: Section, path: readonly string[]): void => {
    for (const [key, value] of saidIn(values)) {
      if (isSection(value) && document.hasIn([...path, key])) set(value, [...path, key]);
      else
        document.setIn(
          [...path, key],
          isSection(value) || Array.isArray(value) ? document.createNode(value) : value,
        );
    }
  };
  set(patch, []);
  return document.toString({ lineWidth: 0 });
}
