import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from './clock.ts';
import { NOTHING_SAID } from './config/model-settings.ts';
import type { LocalModelSettings } from './config/settings.ts';
import { ModelFiles } from './model-files.ts';

const GGUF = Buffer.from(`GGUF${'\0'.repeat(60)}`);

function setUp() {
  const dir = mkdtempSync(join(tmpdir(), 'roundhouse-files-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const warnings: string[] = [];
  let changed = Promise.withResolvers<void>();
  const files = new ModelFiles({
    clock: systemClock,
    warn: (message) => warnings.push(message),
    onChange: () => changed.resolve(),
  });
  onTestFinished(() => files[Symbol.dispose]());
  return {
    dir,
    files,
    warnings,
    /** Resolves at the next change that is told after this. */
    change() {
      changed = Promise.withResolvers();
      return changed.promise;
    },
  };
}

function model(path: string): LocalModelSettings {
  return {
    kind: 'local',
    id: path,
    name: path,
    aliases: [],
    ...NOTHING_SAID,
    source: { kind: 'file', path },
    pinned: false,
    preload: false,
    idleUnloadMs: null,
    engine: {
      contextSize: 2048,
      parallel: 1,
      batchSize: 256,
      flashAttention: 'auto',
      cacheType: 'f16',
      threads: 'auto',
      gpuLayers: 0,
      chatTemplateFile: null,
    },
  };
}

test('a file that grows, is replaced, goes away or comes back is told of', async () => {
  const { dir, files, change, warnings } = setUp();
  const path = join(dir, 'm.gguf');
  writeFileSync(path, GGUF);
  await files.refresh([model(path)]);
  expect(files.of(path)).toEqual({ fileBytes: 64, problem: null });
  for (const act of [
    () => appendFileSync(path, 'more'),
    () => renameSync(path, join(dir, 'elsewhere')),
    () => renameSync(join(dir, 'elsewhere'), path),
  ]) {
    const told = change();
    act();
    await told;
    await files.refresh([model(path)]);
  }
  expect(files.of(path)).toEqual({ fileBytes: 68, problem: null });
  expect(warnings).toEqual([]);
});

test('what a link leads to is followed, and every part of a split model', async () => {
  const { dir, files, change } = setUp();
  const [blobs, models] = ['blobs', 'models'].map((name) => join(dir, name));
  for (const folder of [blobs, models]) mkdirSync(folder ?? '');
  const target = join(blobs ?? '', 'x');
  writeFileSync(target, GGUF);
  const [link, first, second] = ['l.gguf', 's-00001-of-00002.gguf', 's-00002-of-00002.gguf'].map((name) =>
    join(models ?? '', name),
  );
  symlinkSync(target, link ?? '');
  for (const part of [first, second]) writeFileSync(part ?? '', GGUF);
  await files.refresh([model(link ?? ''), model(first ?? '')]);
  for (const path of [target, second]) {
    const told = change();
    appendFileSync(path ?? '', 'more');
    await told;
  }
});

test('a model whose folder is not there has a problem, and nobody is warned of it', async () => {
  const { dir, files, warnings } = setUp();
  const path = join(dir, 'none', 'm.gguf');
  await files.refresh([model(path)]);
  expect(files.of(path).problem).toContain('is not there');
  expect(warnings).toEqual([]);
});
