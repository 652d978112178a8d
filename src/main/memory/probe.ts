import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import si from 'systeminformation';
import type { PressureLevel } from '../../shared/contract.ts';
import { repackedTypes } from './backend.ts';
import type { Footprint } from './footprint.ts';
import { levelOfAvailable } from './pressure.ts';
import { containerAvailableBytes, containerFolder } from './probe-container.ts';
import { linuxAvailableBytes, linuxFootprint, linuxReturnedBytes } from './probe-linux.ts';
import { macFootprint, macReturnedBytes } from './probe-macos.ts';
import { linuxPressure, macPressure } from './probe-pressure.ts';

export interface Machine {
  /** For people: `Linux x64 · 2 cores`, `MacBookPro18,3 · Apple M1 Pro`. */
  readonly name: string;
  readonly totalBytes: number;
  /** Cores that are worth giving to an engine: performance cores, where the machine has two kinds. */
  readonly performanceCores: number;
  /** Tensor types of which llama.cpp's CPU backend keeps a second copy on this processor. */
  readonly repackedTypes: readonly string[];
}

/** Reads the machine. The only part of the memory room that does. */
export interface MemoryProbe {
  machine(): Promise<Machine>;
  /** How hard pressed the system is for memory; where it does not say, by how much is available. */
  pressure(): Promise<PressureLevel>;
  /** What could be had without swapping: free, and what the system would give up. */
  availableBytes(): Promise<number>;
  /** What would be available besides if these processes ended; `null` when one of them has. */
  returnedBytes(pids: readonly number[]): Promise<number | null>;
  /** `null` when the process is gone or is not ours to see. */
  footprint(pid: number): Promise<Footprint | null>;
}

/** The probe of this machine: Linux (proved) or macOS (written from its manuals). */
export function createMemoryProbe(platform: NodeJS.Platform = process.platform): MemoryProbe {
  const isMac = platform === 'darwin';
  return {
    async machine() {
      const [memory, name, cores, cpuFlags] = await Promise.all([
        si.mem(),
        machineName(platform),
        performanceCores(platform),
        si.cpuFlags(),
      ]);
      return {
        name,
        totalBytes: Math.min(memory.total, containerLimitBytes()),
        performanceCores: cores,
        repackedTypes: repackedTypes(arch(), cpuFlags.split(' ')),
      };
    },
    async pressure() {
      const level = isMac ? await macPressure() : await ownPressure();
      if (level !== null) return level;
      const { available, total } = await si.mem();
      return levelOfAvailable(available, total);
    },
    async availableBytes() {
      // What macOS still calls available then is what it is busy compressing.
      if (isMac) return (await macPressure()) === 'critical' ? 0 : (await si.mem()).available;
      // Read before each load: systeminformation takes three times as long.
      const available = (await linuxAvailableBytes()) ?? (await si.mem()).available;
      const limitBytes = containerLimitBytes();
      return limitBytes < totalmem()
        ? Math.min(available, await availableInContainer(limitBytes))
        : available;
    },
    returnedBytes: isMac ? macReturnedBytes : linuxReturnedBytes,
    footprint: isMac ? macFootprint : linuxFootprint,
  };
}

/** A container may have less than the machine; `Infinity` when nothing limits this process. */
function containerLimitBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
}

async function availableInContainer(limitBytes: number): Promise<number> {
  const folder = await containerFolder();
  const bytes = folder === null ? null : await containerAvailableBytes(folder, limitBytes);
  return bytes ?? process.availableMemory();
}

/** Of this container where it has a limit of its own: the machine may have plenty. */
async function ownPressure(): Promise<PressureLevel | null> {
  const folder = containerLimitBytes() < totalmem() ? await containerFolder() : null;
  const own = folder === null ? null : await linuxPressure(join(folder, 'memory.pressure'));
  return own ?? (await linuxPressure());
}

async function performanceCores(platform: NodeJS.Platform): Promise<number> {
  if (platform !== 'darwin') return availableParallelism();
  const cpu = await si.cpu();
  return cpu.performanceCores ?? cpu.physicalCores;
}

async function machineName(platform: NodeJS.Platform): Promise<string> {
  if (platform === 'darwin') {
    const [system, cpu] = await Promise.all([si.system(), si.cpu()]);
    return [system.model, cpu.brand].filter((part) => part !== '').join(' · ');
  }
  const cores = cpus().length;
  return `Linux ${arch()} · ${cores} ${cores === 1 ? 'core' : 'cores'}`;
}
