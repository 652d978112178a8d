import type { ExplainedKey } from '../../shared/contract.ts';

/** Keys as people read them: the value in force, where it is from, and what it wins over. */
export function explainText(keys: readonly ExplainedKey[]): string {
  return keys.map(textOf).join('\n');
}

function textOf({ key, layers }: ExplainedKey): string {
  const [first, ...others] = layers;
  if (!first) return `${key} is not set`;
  return [
    `${key}: ${shown(first.value)}`,
    `  from ${first.from}`,
    ...others.map(({ value, from }) => `  over ${shown(value)}, ${from}`),
  ].join('\n');
}

function shown(value: unknown): string {
  if (value === '') return 'nothing';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}
