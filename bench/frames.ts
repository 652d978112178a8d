import { launchChromium } from '../test/e2e/chromium.ts';
import { openPage } from '../test/e2e/page-fixture.ts';
import { fakeMemory } from '../test/fakes/fake-memory.ts';
import { fakeModel } from '../test/fakes/fake-models.ts';
import { type Frames, reportFrames, WATCH } from './watch-frames.ts';

/*
 * Whether the Overview keeps the display's pace while four engines stream: the built page in Chromium, over an app that
 * sends what four streaming engines would, sixty times a second. Judged against the same page at rest in the same run,
 * because a browser without a GPU on a shared machine has a pace of its own.
 */

const RATE_HZ = 60;
const IDLE_MS = 4_000;
const BUSY_MS = 10_000;
const GIB = 1024 ** 3;
const ENGINES = ['mistral', 'llama', 'qwen-coder', 'gemma'];

const models = ENGINES.map((id) =>
  fakeModel(id, { state: { status: 'ready', sinceMs: 0 }, memory: fakeMemory(4, 4.1), activeRequests: 1 }),
);
const onDisk = Array.from({ length: 12 }, (_, index) => fakeModel(`on-disk-${index}`));

const browser = await launchChromium();
{
  await using fixture = await openPage(browser, { route: 'overview', models: [...models, ...onDisk] });
  const { page, api } = fixture;
  const watch = (ms: number) => page.evaluate<Frames>(`(${WATCH})(${ms})`);
  await page.getByRole('toolbar', { name: /^Memory/ }).waitFor();
  // A look at the segment that changes most, as somebody has who watches it.
  await page.getByRole('button', { name: /^mistral 4/ }).hover();
  await watch(1_000);

  const idle = await watch(IDLE_MS);
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    for (const [index, id] of ENGINES.entries()) {
      const wave = Math.sin(sent / 20 + index);
      api.changeModel(id, {
        activeRequests: 1 + (sent % 3),
        lastTokensPerSecond: 40 + 10 * wave,
        lastFirstTokenMs: 50 + 20 * wave,
        memory: fakeMemory(4, 4.1 + 0.4 * wave),
      });
    }
    api.changeMemory({ otherBytes: (6.9 + 0.3 * Math.sin(sent / 33)) * GIB });
  }, 1000 / RATE_HZ);
  const begunMs = performance.now();
  const busy = await watch(BUSY_MS);
  clearInterval(timer);
  const rateHz = (1000 * sent) / (performance.now() - begunMs);
  const rounds = `${rateHz.toFixed(0)} rounds of ${ENGINES.length * 2 + 1} events a second`;
  reportFrames(idle, busy, 'streaming', rounds);
}
await browser.close();
