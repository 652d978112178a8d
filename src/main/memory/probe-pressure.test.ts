import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containerAvailableBytes, containerFolder } from './probe-container.ts';
import { parseAnonymous } from './probe-linux.ts';
import { linuxPressure, parseMacLevel, parseStalls } from './probe-pressure.ts';

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'roundhouse-probe-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

describe('pressure stall information', () => {
  const text = (some: string, full: string) =>
    `some avg10=${some} avg60=3.10 avg300=0.90 total=12345\nfull avg10=${full} avg60=1.00 avg300=0.20 total=999\n`;

  it('is the share of the last ten seconds', () => {
    expect(parseStalls(text('12.34', '5.60'))).toEqual({ somePercent: 12.34, fullPercent: 5.6 });
    expect(parseStalls(text('100.00', '0.00'))).toEqual({ somePercent: 100, fullPercent: 0 });
  });

  it.each(['', 'some avg10=1.00 avg60=0.00\n', 'full avg10=x avg60=0\nsome avg10=1 avg60'])(
    'of another form is none: %j',
    (other) => {
      expect(parseStalls(other)).toBeNull();
    },
  );

  it('is read from its file, and is none where there is no such file', async () => {
    const folder = await folderWith({ 'memory.pressure': text('30.00', '11.00') });
    expect(await linuxPressure(join(folder, 'memory.pressure'))).toBe('critical');
    expect(await linuxPressure(join(folder, 'elsewhere'))).toBeNull();
  });
});

it('what macOS says is 1, 2 or 4', () => {
  expect(['1\n', '2\n', '4\n', '0\n', '3\n', ''].map(parseMacLevel)).toEqual([
    'normal',
    'warn',
    'critical',
    null,
    null,
    null,
  ]);
});

describe('memory that only a process holds', () => {
  it('is anonymous or shared between processes, not of files', () => {
    const status =
      'Name:\tnode\nVmRSS:\t   51200 kB\nRssAnon:\t   20480 kB\nRssFile:\t   30000 kB\nRssShmem:\t     720 kB\n';
    expect(parseAnonymous(status)).toBe(21_200 * 1024);
  });

  it('is not known of one that has ended', () => {
    expect(parseAnonymous('Name:\tnode\nState:\tZ (zombie)\n')).toBeNull();
  });
});

describe('a container', () => {
  it('has available what is left of its limit, and what files take', async () => {
    const folder = await folderWith({
      'memory.current': '900\n',
      'memory.stat': 'anon 200\nfile 700\ninactive_anon 20\ninactive_file 400\nactive_file 250\n',
    });
    expect(await containerAvailableBytes(folder, 1000)).toBe(750);
    expect(await containerAvailableBytes(folder, 100)).toBe(0);
  });

  it('that cannot be read is not known', async () => {
    expect(await containerAvailableBytes('/nowhere', 1000)).toBeNull();
    const folder = await folderWith({ 'memory.current': '900\n', 'memory.stat': 'anon 200\n' });
    expect(await containerAvailableBytes(folder, 1000)).toBeNull();
  });

  it('is found by the group of this process', async () => {
    const folder = await folderWith({ v2: '0::/a/b\n', v1: '4:memory:/a\n' });
    expect(await containerFolder('/groups', join(folder, 'v2'))).toBe('/groups/a/b');
    expect(await containerFolder('/groups', join(folder, 'v1'))).toBeNull();
  });
});
