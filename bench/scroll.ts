import { launchChromium } from '../test/e2e/chromium.ts';
import { openPage } from '../test/e2e/page-fixture.ts';
import { fakeRequests } from '../test/fakes/fake-requests.ts';
import { type Frames, reportFrames, WATCH } from './watch-frames.ts';

/*
 * Whether the list of requests keeps the display's pace with ten thousand in it: the built page in Chromium, scrolled
 * through from top to bottom and back while requests go on ending.
 */

const ROWS = 10_000;
const IDLE_MS = 4_000;
const BUSY_MS = 10_000;
const ENDING_HZ = 20;
/** A fling: some five rows a frame. */
const STEP_PX = 170;

/** Moves the list by a step in each frame, and turns at its ends. */
const SCROLL = `(step) => {
  const grid = document.querySelector('[role=grid]');
  window.scrolling = true;
  const frame = () => {
    grid.scrollTop += step;
    const end = grid.scrollHeight - grid.clientHeight - 1;
    if (grid.scrollTop <= 0 || grid.scrollTop >= end) step = -step;
    if (window.scrolling) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}`;

const browser = await launchChromium();
{
  const requests = fakeRequests(ROWS, Date.now());
  await using fixture = await openPage(browser, { route: 'requests', requests });
  const { page, api } = fixture;
  const watch = (ms: number) => page.evaluate<Frames>(`(${WATCH})(${ms})`);
  const grid = page.getByRole('grid', { name: 'Requests' });
  await grid.focus();
  while (!(await page.getByText('10,000 requests in all.').isVisible())) {
    await page.keyboard.press('End');
    await page.locator('[role=grid]:not([data-older=loading])').waitFor();
  }
  await page.keyboard.press('Home');
  await watch(1_000);

  const idle = await watch(IDLE_MS);
  let ended = 0;
  const timer = setInterval(() => {
    ended += 1;
    api.endRequests(1);
  }, 1000 / ENDING_HZ);
  await page.evaluate(`(${SCROLL})(${STEP_PX})`);
  const busy = await watch(BUSY_MS);
  clearInterval(timer);
  await page.evaluate('window.scrolling = false');
  reportFrames(idle, busy, 'scrolling', `${ROWS} rows, ${ended} requests ended meanwhile`);
}
await browser.close();
