import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RoundhouseError } from '../../shared/errors.ts';
import { checkGgufFile } from './gguf-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'roundhouse-gguf-'));
afterAll(() => rmSync(dir, { recursive: true }));

function fileOf(name: string, content: string): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

async function reasonOf(path: string): Promise<string> {
  const error: unknown = await checkGgufFile(path).catch((thrown: unknown) => thrown);
  if (!(error instanceof RoundhouseError)) throw new Error(`${path} was taken`);
  expect(error.code).toBe('gguf_invalid');
  expect(error.message.startsWith(path)).toBe(true);
  return error.message.slice(path.length + 1);
}

test('a GGUF file is taken, also through links', async () => {
  const path = fileOf('real.gguf', `GGUF${'\0'.repeat(60)}`);
  symlinkSync(path, join(dir, 'link.gguf'));
  symlinkSync(join(dir, 'link.gguf'), join(dir, 'link to link.gguf'));
  expect(await checkGgufFile(path)).toEqual({ sizeBytes: 64 });
  expect(await checkGgufFile(join(dir, 'link to link.gguf'))).toEqual({ sizeBytes: 64 });
});

test('whatever else a path leads to is named', async () => {
  mkdirSync(join(dir, 'folder.gguf'));
  symlinkSync(join(dir, 'nothing'), join(dir, 'broken.gguf'));
  symlinkSync(join(dir, 'loop.gguf'), join(dir, 'loop.gguf'));
  execFileSync('mkfifo', [join(dir, 'pipe.gguf')]);
  const html = fileOf('page.gguf', '<html><body>Please sign in to go on</body></html>');
  const lfs = fileOf('pointer.gguf', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n');

  expect(await reasonOf(join(dir, 'folder.gguf'))).toBe('is a folder; name a file in it');
  expect(await reasonOf(fileOf('short.gguf', 'GGUF12345678'))).toBe(
    'is 12 bytes long, too short for a GGUF file; download it again',
  );
  expect(await reasonOf(html)).toBe(
    'starts with "<html><body>", not with "GGUF"; a web page was saved instead of the model: download it again',
  );
  expect(await reasonOf(lfs)).toBe(
    'starts with "version http", not with "GGUF"; it is a Git LFS pointer: `git lfs pull` gets the model',
  );
  expect(await reasonOf(fileOf('other.gguf', `PK\x03\x04${'\xff'.repeat(60)}`))).toBe(
    'starts with "PK..........", not with "GGUF"; only GGUF files can be served',
  );
  expect(await reasonOf(join(dir, 'missing.gguf'))).toBe('is not there; check the path');
  expect(await reasonOf(join(dir, 'short.gguf', 'x.gguf'))).toBe('is not there; check the path');
  expect(await reasonOf(join(dir, 'broken.gguf'))).toBe('is not there; check the path');
  expect(await reasonOf(join(dir, 'loop.gguf'))).toBe('is a link that leads back to itself');
  expect(await reasonOf(join(dir, 'pipe.gguf'))).toBe('is not a regular file');
});
