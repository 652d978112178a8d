import type { DetectorName } from '../../shared/detector-names.ts';
import type { ProviderKind } from '../../shared/provider-kinds.ts';
import type { ProviderSettings } from '../config/settings.ts';
import { AskedProvider } from './asked-provider.ts';
import { type MockPorts, MockUpstream } from './mock/mock-upstream.ts';
import type { Provider } from './provider.ts';
import { type SdkPorts, SdkUpstream } from './sdk-upstream.ts';
import { anthropic } from './vendors/anthropic.ts';
import { google } from './vendors/google.ts';
import { groq } from './vendors/groq.ts';
import { openai } from './vendors/openai.ts';
import { openaiCompatible } from './vendors/openai-compatible.ts';
import { openrouter } from './vendors/openrouter.ts';
import type { Vendor } from './vendors/vendor.ts';

export type ProviderPorts = SdkPorts & MockPorts;

const VENDORS: Readonly<Record<Exclude<ProviderKind, 'mock'>, Vendor>> = {
  openai,
  anthropic,
  google,
  openrouter,
  groq,
  'openai-compatible': openaiCompatible,
};

/**
 * Makes a provider. Asks nobody and imports no SDK: both wait for the first request, and so does the complaint about
 * settings that cannot work.
 * @param detectors what is asked beyond the list of models; `null` = what suits the kind
 */
export function createProvider(
  settings: ProviderSettings,
  ports: ProviderPorts,
  detectors: readonly DetectorName[] | null = null,
): Provider {
  const { name, kind, timeoutMs, mock } = settings;
  if (kind !== 'mock') {
    return new AskedProvider(
      settings,
      new SdkUpstream(VENDORS[kind], settings, detectors, ports),
      ports.clock,
    );
  }
  // The schema gives every mock its settings.
  if (mock === null) throw new Error(`${name} is a mock without settings`);
  return new AskedProvider(settings, new MockUpstream(name, timeoutMs, mock, ports), ports.clock);
}
