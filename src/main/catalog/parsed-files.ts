import type { ConfigProblem } from '../../shared/contract.ts';
import type { KeyPath, YamlSource } from '../yaml/yaml-source.ts';
import type { Definition } from './definition-schema.ts';
import type { Pricing } from './pricing-schema.ts';

/** A catalog file whose values are all valid. */
export interface ParsedFile<Value> {
  /** Absolute. */
  readonly file: string;
  readonly provider: string;
  readonly value: Value;
  readonly source: YamlSource;
}

/** What is in one catalog folder, in the order of the files' paths. */
export interface ParsedFolder {
  readonly definitions: readonly ParsedFile<Definition>[];
  readonly pricing: readonly ParsedFile<Pricing>[];
  /** Providers whose pricing file is broken: that their models have no price is said once, not for each. */
  readonly withoutPrices: ReadonlySet<string>;
}

export function problemAt(parsed: ParsedFile<unknown>, path: KeyPath, message: string): ConfigProblem {
  return { file: parsed.file, line: parsed.source.lineOf(path), message };
}
