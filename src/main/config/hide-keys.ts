import type { KeyPath } from '../yaml/yaml-source.ts';

const HIDDEN = '(a key, not shown)';

/** A value of models.yaml as it may be shown: without the keys of callers and of providers. */
export function hideKeys(path: KeyPath, value: unknown): unknown {
  const [section, name, key, inside] = path;
  if (section === 'providers' && key === 'apiKey') return value === '' ? value : HIDDEN;
  if (section !== 'server' || name !== 'apiKeys') return value;
  if (key === undefined) return Array.isArray(value) ? value.map(hideCallersKey) : HIDDEN;
  if (inside === undefined) return hideCallersKey(value);
  return inside === 'key' || inside === 'keyHash' ? HIDDEN : value;
}

function hideCallersKey(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return HIDDEN;
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [key, key === 'key' || key === 'keyHash' ? HIDDEN : value]),
  );
}
