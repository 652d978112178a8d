import { launchChromium } from '../test/e2e/chromium.ts';
import { openPage } from '../test/e2e/page-fixture.ts';
import { fakeMemory } from '../test/fakes/fake-memory.ts';
import { fakeModel } from '../test/fakes/fake-models.ts';
import { checkBound, median, quantile } from './figures.ts';

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

interface Frames {
  readonly gapsMs: readonly number[];
  readonly longTasksMs: readonly number[];
}

const models = ENGINES.map((id) =>
  fakeModel(id, { state: { status: 'ready', sinceMs: 0 }, memory: fakeMemory(4, 4.1), activeRequests: 1 }),
);
const onDisk = Array.from({ length: 12 }, (_, index) => fakeModel(`on-disk-${index}`));

/** Notes the time between frames for `ms`, and tasks that kept the page from drawing for more than 50 ms. */
const WATCH = `(ms) => new Promise((resolve) => {
  const gapsMs = [], longTasksMs = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTasksMs.push(entry.duration);
  });
  observer.observe({ entryTypes: ['longtask'] });
  const begun = performance.now();
  let last = null;
  const frame = (now) => {
    if (last !== null) gapsMs.push(now - last);
    last = now;
    if (performance.now() - begun < ms) requestAnimationFrame(frame);
    else { observer.disconnect(); resolve({ gapsMs, longTasksMs }); }
  };
  requestAnimationFrame(frame);
})`;

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
  report(idle, busy, (1000 * sent) / (performance.now() - begunMs));
}
await browser.close();

function report(idle: Frames, busy: Frames, rateHz: number): void {
  const fps = ({ gapsMs }: Frames) => (1000 * gapsMs.length) / gapsMs.reduce((sum, gap) => sum + gap, 0);
  const frameMs = median(idle.gapsMs);
  const inTime = ({ gapsMs }: Frames) => gapsMs.filter((gap) => gap <= 1.5 * frameMs).length / gapsMs.length;
  console.log(`at rest:   ${fps(idle).toFixed(1)} fps, median frame ${frameMs.toFixed(1)} ms`);
  console.log(
    `streaming: ${fps(busy).toFixed(1)} fps, median frame ${median(busy.gapsMs).toFixed(1)} ms, p99 ${quantile(busy.gapsMs, 0.99).toFixed(1)} ms, ${rateHz.toFixed(0)} rounds of ${ENGINES.length * 2 + 1} events a second`,
  );
  console.log(
    `frames within 1.5 × of a frame at rest: ${(100 * inTime(idle)).toFixed(1)} % at rest, ${(100 * inTime(busy)).toFixed(1)} % streaming`,
  );
  const long = busy.longTasksMs;
  console.log(
    `tasks over 50 ms: ${idle.longTasksMs.length} at rest, ${long.length} streaming${long.length === 0 ? '' : `, the longest ${Math.max(...long).toFixed(0)} ms`}`,
  );
  checkBound('frames a second, streaming to at rest', fps(busy) / fps(idle), 0.95, 'at least');
}
