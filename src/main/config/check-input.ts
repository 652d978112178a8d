import type { ModelsYaml } from '../../shared/config-schema.ts';
import type { ConfigProblem } from '../../shared/contract.ts';
import { likelyName } from '../registry/nearest.ts';
import { showPath } from '../yaml/issues.ts';
import type { KeyPath, YamlSource } from '../yaml/yaml-source.ts';
import type { Origin } from './outside.ts';

export interface CheckInput {
  readonly file: string;
  readonly config: ModelsYaml;
  readonly source: YamlSource;
  readonly origins: ReadonlyMap<string, Origin>;
  /** Ids of the models found in the models folders. */
  readonly foundIds: readonly string[];
  /** `null` = not known. */
  readonly machineBytes: number | null;
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

export function suggest(wrong: string, names: readonly string[], otherwise: string): string {
  const near = likelyName(wrong, names);
  return near === null ? otherwise : `did you mean "${near}"?`;
}

/** Names the place a value came from: the file and its line, or the variable or option that set it. */
export function problemAt(input: CheckInput, path: KeyPath, message: string): ConfigProblem {
  const origin = input.origins.get(path.join('.'));
  if (origin) return { file: origin.file, line: null, message: `${origin.name}: ${message}` };
  return { file: input.file, line: input.source.lineOf(path), message: `${showPath(path)}: ${message}` };
}
