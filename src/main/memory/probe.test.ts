import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createMemoryProbe } from './probe.ts';
import { parseSmaps } from './probe-linux.ts';
import { parseFootprint } from './probe-macos.ts';

const MIB = 1024 ** 2;
const onLinux = process.platform === 'linux';

describe('parseSmaps', () => {
  const mapping = (first: string, rss: number, dirty: number) =>
    `${first}\nSize: 9999 kB\nRss:          ${rss} kB\nPss:   7 kB\nShared_Dirty:  5 kB\nPrivate_Clean:  3 kB\nPrivate_Dirty:     ${dirty} kB\nVmFlags: rd sh\n`;

  it('adds private pages of all mappings and resident pages of model files only', () => {
    const smaps = [
      mapping('55d0-55d1 rw-p 00000000 00:00 0                  [heap]', 100, 90),
      mapping('7f96-7f97 r--s 0000e000 fe:00 5324854            /models/a model.gguf', 2000, 1200),
      mapping('7f98-7f99 r--s 00000000 fe:00 5324855            /blobs/sha256-abc (deleted)', 300, 0),
      mapping('7fa0-7fa1 r-xp 00000000 fe:00 77                 /usr/lib/libc.so.6', 1500, 8),
      mapping('7fb0-7fb1 rw-s 00000000 00:01 12                 /memfd:shared (deleted)', 60, 60),
      mapping('7fc0-7fc1 r--s 00000000 00:05 13                 /dev/shm/x', 70, 0),
    ].join('');
    expect(parseSmaps(smaps)).toEqual({
      privateBytes: (90 + 8 + 60) * 1024,
      mappedBytes: 2300 * 1024,
      totalBytes: (158 + 2300) * 1024,
    });
  });

  it('finds nothing in an empty text', () => {
    expect(parseSmaps('')).toEqual({ privateBytes: 0, mappedBytes: 0, totalBytes: 0 });
  });
});

describe('parseFootprint', () => {
  it('reads the physical footprint and the clean part of mapped files', () => {
    const output = `======
node [4242]: 64-bit    Footprint: 60000000 B (16384 bytes per page)
======
         Dirty         Clean   Reclaimable    Regions    Category
           ---           ---           ---        ---    ---
    41943040 B           0 B           0 B         12    MALLOC_LARGE
           0 B   199000000 B           0 B          3    mapped file
Auxiliary data:
    phys_footprint_peak: 70000000 B
    phys_footprint: 60000000 B
`;
    expect(parseFootprint(output)).toEqual({
      privateBytes: 60_000_000,
      mappedBytes: 199_000_000,
      totalBytes: 259_000_000,
    });
    expect(parseFootprint('footprint: unable to inspect 4242')).toBeNull();
  });
});

describe('createMemoryProbe', () => {
  const probe = createMemoryProbe();

  it('reads the machine', async () => {
    const machine = await probe.machine();
    expect(machine.name).toMatch(onLinux ? /^Linux \w+ · \d+ cores?$/ : /·/);
    expect(machine.totalBytes).toBeGreaterThan(256 * MIB);
    const available = await probe.availableBytes();
    expect(available).toBeGreaterThan(0);
    expect(available).toBeLessThan(machine.totalBytes);
  });

  it('reads how hard pressed it is', async () => {
    expect(['normal', 'warn', 'critical']).toContain(await probe.pressure());
  });

  it.runIf(onLinux)('sees what a process writes, and that it is gone', async () => {
    const script = `process.on('message', () => { globalThis.kept = Buffer.alloc(64 * 2 ** 20, 1); process.send('filled') });
      process.send('started');`;
    const child = fork('-e', [script], { execArgv: [] });
    try {
      await once(child, 'message');
      const before = await probe.footprint(child.pid ?? 0);
      child.send('fill');
      await once(child, 'message');
      const after = await probe.footprint(child.pid ?? 0);
      expect((after?.privateBytes ?? 0) - (before?.privateBytes ?? 0)).toBeGreaterThan(60 * MIB);
      expect((after?.privateBytes ?? 0) - (before?.privateBytes ?? 0)).toBeLessThan(90 * MIB);
      // What would come back is what only it holds.
      const returned = (await probe.returnedBytes([child.pid ?? 0])) ?? 0;
      expect(Math.abs(returned - (after?.privateBytes ?? 0))).toBeLessThan(16 * MIB);
    } finally {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
    expect(await probe.footprint(child.pid ?? 0)).toBeNull();
    expect(await probe.returnedBytes([process.pid, child.pid ?? 0])).toBeNull();
  });
});
