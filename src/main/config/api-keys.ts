import { createHash } from 'node:crypto';
import type { ModelsYaml } from '../../shared/config-schema.ts';
import type { ApiKeySettings } from './settings.ts';

type ApiKeyEntry = ModelsYaml['server']['apiKeys'][number];

export function apiKeySettings({ key, keyHash, ...rest }: ApiKeyEntry): ApiKeySettings {
  return { ...rest, sha256: sha256Of(key, keyHash) };
}

/** The schema has seen to it that there is one of the two. */
function sha256Of(key: string | null, keyHash: string | null): string {
  if (key !== null) return createHash('sha256').update(key).digest('hex');
  return (keyHash ?? '').slice('sha256:'.length).toLowerCase();
}
