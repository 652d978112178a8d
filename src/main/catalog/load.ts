import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import type { ConfigProblem } from '../../shared/contract.ts';
import { problemsOf } from '../yaml/issues.ts';
import { readText } from '../yaml/read-text.ts';
import { readYaml } from '../yaml/yaml-source.ts';
import { assemble } from './assemble.ts';
import { Catalog } from './catalog.ts';
import { type Definition, definitionJsonSchema, definitionSchema } from './definition-schema.ts';
import type { ParsedFile, ParsedFolder } from './parsed-files.ts';
import { type Pricing, pricingJsonSchema, pricingSchema } from './pricing-schema.ts';

export interface CatalogFolders {
  /** The shipped one, `resources/catalog`. Absolute. */
  readonly shippedDir: string;
  /** The user's own, `catalog` in the data folder: need not be there. Absolute. */
  readonly userDir: string;
}

export interface LoadedCatalog {
  readonly catalog: Catalog;
  /** What could not be used, file by file; everything else is in the catalog. */
  readonly problems: readonly ConfigProblem[];
}

/** Reads both folders. A file that is broken takes out only itself. */
export async function loadCatalog({ shippedDir, userDir }: CatalogFolders): Promise<LoadedCatalog> {
  const problems: ConfigProblem[] = [];
  const shipped = await readFolder(shippedDir, problems);
  const own = await readFolder(userDir, problems);
  const assembled = assemble(shipped, own);
  return { catalog: new Catalog(assembled.models), problems: [...problems, ...assembled.problems] };
}

/** What a provider may be called: its name is a folder's. */
export const PROVIDER_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;

async function readFolder(dir: string, problems: ConfigProblem[]): Promise<ParsedFolder> {
  const definitions: ParsedFile<Definition>[] = [];
  const modelsDir = join(dir, 'models');
  for (const provider of await namesIn(modelsDir, problems)) {
    const providerDir = join(modelsDir, provider);
    if (!isProvider(provider, providerDir, problems)) continue;
    const files = (await namesIn(providerDir, problems))
      .filter(isYaml)
      .map((name) => join(providerDir, name));
    for (const file of files) {
      const kind = { schema: definitionSchema, jsonSchema: definitionJsonSchema };
      const parsed = await parse(file, provider, kind, problems);
      if (parsed) definitions.push(parsed);
    }
  }

  const pricing: ParsedFile<Pricing>[] = [];
  const withoutPrices = new Set<string>();
  const pricingDir = join(dir, 'pricing');
  for (const name of (await namesIn(pricingDir, problems)).filter(isYaml)) {
    const file = join(pricingDir, name);
    const provider = name.replace(YAML, '');
    if (!isProvider(provider, file, problems)) continue;
    const kind = { schema: pricingSchema, jsonSchema: pricingJsonSchema };
    const parsed = await parse(file, provider, kind, problems);
    if (parsed) pricing.push(parsed);
    else withoutPrices.add(provider);
  }
  return { definitions, pricing, withoutPrices };
}

interface FileKind<Value> {
  readonly schema: z.ZodType<Value>;
  readonly jsonSchema: () => z.core.JSONSchema.BaseSchema;
}

async function parse<Value>(
  file: string,
  provider: string,
  kind: FileKind<Value>,
  problems: ConfigProblem[],
): Promise<ParsedFile<Value> | null> {
  const text = await readText(file);
  const read = typeof text === 'string' ? readYaml(file, text, null) : text;
  if ('problems' in read) {
    problems.push(...read.problems);
    return null;
  }
  const { source } = read;
  const result = kind.schema.safeParse(source.value);
  if (result.success) return { file, provider, value: result.data, source };
  problems.push(...problemsOf({ file, source, jsonSchema: kind.jsonSchema }, result.error.issues));
  return null;
}

/** The names in a folder in a fixed order, without hidden ones; none where the folder is not there. */
async function namesIn(dir: string, problems: ConfigProblem[]): Promise<readonly string[]> {
  try {
    return (await readdir(dir)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code !== 'ENOENT')
      problems.push({ file: dir, line: null, message: `the folder cannot be read (${code})` });
    return [];
  }
}

const YAML = /\.ya?ml$/;

export function isYaml(name: string): boolean {
  return YAML.test(name);
}

function isProvider(name: string, file: string, problems: ConfigProblem[]): boolean {
  if (PROVIDER_NAME.test(name)) return true;
  const message = `"${name}" cannot be the name of a provider; use small letters, digits and "-", as in openai`;
  problems.push({ file, line: null, message });
  return false;
}
