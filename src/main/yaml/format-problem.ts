import type { ConfigProblem } from '../../shared/contract.ts';

/** A problem as one line: `models.yaml:12: …`. */
export function formatProblem({ file, line, message }: ConfigProblem): string {
  return line === null ? `${file}: ${message}` : `${file}:${line}: ${message}`;
}
