import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { openKeychain } from '../../src/main/desktop/keychain.ts';
import { keychain } from './electron-stub.ts';

vi.mock('electron', () => import('./electron-stub.ts'));

let dataDir: string;
let warnings: string[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'roundhouse-keychain-'));
  warnings = [];
  Object.assign(keychain, { available: true, backend: 'gnome_libsecret', version: 1 });
  return () => rmSync(dataDir, { recursive: true });
});

const open = (platform: NodeJS.Platform = 'darwin') =>
  openKeychain({ dataDir, platform, warn: (message) => warnings.push(message) });

it('keeps keys sealed, and gives them back after a restart', async () => {
  await open().set('openai', 'canary-key');
  expect(await open().get('openai')).toBe('canary-key');
  for (const name of readdirSync(dataDir)) {
    expect(readFileSync(join(dataDir, name), 'utf8')).not.toContain('canary-key');
  }
  expect(warnings).toEqual([]);
});

it('seals anew what the system wants sealed anew', async () => {
  await open().set('openai', 'canary-key');
  const before = readFileSync(join(dataDir, 'secrets.sealed.json'), 'utf8');
  keychain.version = 2;
  expect(await open().get('openai')).toBe('canary-key');
  expect(readFileSync(join(dataDir, 'secrets.sealed.json'), 'utf8')).not.toBe(before);
  expect(await open().get('openai')).toBe('canary-key');
});

it('takes what it cannot open for missing, and refuses to keep what it cannot seal', async () => {
  await open().set('openai', 'canary-key');
  keychain.available = false;
  expect(await open().get('openai')).toBeNull();
  await expect(open().set('openai', 'other')).rejects.toMatchObject({ code: 'config_invalid' });
});

it('warns where a Linux desktop has no keychain', () => {
  keychain.backend = 'basic_text';
  open('darwin');
  expect(warnings).toEqual([]);
  open('linux');
  expect(warnings.join()).toContain('without real encryption');
});
