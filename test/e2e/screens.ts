import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { settled } from './page-fixture.ts';

/** Where pictures of the page go: with KEEP_SCREENS=1 to where they are kept, else into a folder of their own. */
const SCREENS = process.env.KEEP_SCREENS
  ? 'test/e2e/__screens__'
  : mkdtempSync(join(tmpdir(), 'roundhouse-screens-'));

/** A picture of the page, to be looked at, once nothing on it moves any more. */
export async function shoot(page: Page, name: string): Promise<void> {
  await settled(page);
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}
