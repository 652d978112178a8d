import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';

/** Why end-to-end tests cannot run here, or `null` when they can. */
export const SKIP_REASON: string | null = existsSync(EXECUTABLE)
  ? null
  : 'SKIPPED: no Chromium (apt-get install chromium)';

/** Chromium without sandbox or GPU (tests also run as root, in containers) and without calls home. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
