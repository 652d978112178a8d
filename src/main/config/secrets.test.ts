import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { OWNER_ONLY, type Seal, SecretFile, secretNameOf } from './secrets.ts';

let dir: string;
let file: string;
let warnings: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'roundhouse-secrets-'));
  file = join(dir, 'secrets.json');
  warnings = [];
  return () => rmSync(dir, { recursive: true });
});

function open(seal: Seal = OWNER_ONLY): SecretFile {
  return new SecretFile({ file, where: 'secrets.json', seal, warn: (message) => warnings.push(message) });
}

test('what is set is there for the next one who opens the file, for its owner alone', async () => {
  const secrets = open();
  expect(await secrets.get('openai')).toBeNull();
  await secrets.set('openai', 'sk-1');
  await secrets.set('openai', 'sk-2');
  expect(await open().get('openai')).toBe('sk-2');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['secrets.json']);
  await secrets.delete('openai');
  expect(await secrets.get('openai')).toBeNull();
  expect(existsSync(file)).toBe(false);
});

test('changes at the same time are all kept', async () => {
  const secrets = open();
  await Promise.all(Array.from({ length: 20 }, (_, index) => secrets.set(`p${index}`, `key-${index}`)));
  await Promise.all([secrets.delete('p3'), secrets.set('p4', 'new')]);
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toHaveLength(19);
  expect(await secrets.get('p4')).toBe('new');
});

test('a file that others can read is closed, and said so once', async () => {
  const secrets = open();
  await secrets.set('openai', 'sk-1');
  chmodSync(file, 0o644);
  expect(await secrets.get('openai')).toBe('sk-1');
  expect(await secrets.get('openai')).toBe('sk-1');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual([
    `${file} could be read by others; now only by you. If others use this machine, make new keys.`,
  ]);
});

test.each(['canary', '{"a":', '["canary"]', '{"a":{"b":"canary"}}', '{"a":1}'])(
  'a file that holds %s is neither used nor overwritten, nor quoted',
  async (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    const refusals = await Promise.allSettled([open().get('a'), open().set('a', 'key'), open().delete('a')]);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ reason: { code: 'config_invalid' } });
      expect(String(refusal.status === 'rejected' && refusal.reason)).not.toContain('canary');
    }
    expect(readFileSync(file, 'utf8')).toBe(text);
  },
);

test.each(['', 'two words', 'ü', 'x'.repeat(513)])('%j is not kept as a key', async (value) => {
  await expect(open().set('openai', value)).rejects.toMatchObject({ code: 'invalid_request', param: 'key' });
  expect(existsSync(file)).toBe(false);
});

test('a sealed secret lies on the disk sealed, and is sealed anew when its seal is stale', async () => {
  let version = 1;
  const seal: Seal = {
    close: async (secret) => `v${version}:${[...secret].toReversed().join('')}`,
    open: async (closed) =>
      closed.startsWith('v')
        ? { secret: [...closed.slice(3)].toReversed().join(''), stale: !closed.startsWith(`v${version}:`) }
        : null,
  };
  const secrets = open(seal);
  await secrets.set('openai', 'sk-abc');
  expect(readFileSync(file, 'utf8')).toContain('"v1:cba-ks"');
  version = 2;
  expect(await secrets.get('openai')).toBe('sk-abc');
  expect(readFileSync(file, 'utf8')).toContain('"v2:cba-ks"');
  writeFileSync(file, '{"openai":"of another machine"}', { mode: 0o600 });
  expect(await secrets.get('openai')).toBeNull();
});

test('a key is kept for one place: another address does not get it', () => {
  const openai = { name: 'openai', kind: 'openai', baseUrl: null } as const;
  const names = [
    openai,
    { ...openai, baseUrl: 'https://proxy.example/v1' },
    { ...openai, baseUrl: 'http://proxy.example/v1' },
    { ...openai, name: 'work' },
  ].map(secretNameOf);
  expect(new Set(names).size).toBe(4);
  expect(secretNameOf({ ...openai, baseUrl: 'https://proxy.example/v2' })).toBe(names[1]);
});
