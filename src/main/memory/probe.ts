import { arch, availableParallelism, cpus } from 'node:os';
import si from 'systeminformation';
import { repackedTypes } from './backend.ts';
import type { Footprint } from './footprint.ts';
import { linuxFootprint } from './probe-linux.ts';
import { macFootprint } from './probe-macos.ts';

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
  /** What could be had without swapping: free, and what the system would give up. */
  availableBytes(): Promise<number>;
  /** `null` when the process is gone or is not ours to see. */
  footprint(pid: number): Promise<Footprint | null>;
}

/** The probe of this machine: Linux (proved) or macOS (written from its manuals). */
export function createMemoryProbe(platform: NodeJS.Platform = process.platform): MemoryProbe {
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
    async availableBytes() {
      const { available } = await si.mem();
      return containerLimitBytes() === Infinity ? available : Math.min(available, process.availableMemory());
    },
    footprint: platform === 'darwin' ? macFootprint : linuxFootprint,
  };
}

/** A container may have less than the machine; `Infinity` when nothing limits this process. */
function containerLimitBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? limit : Number.POSITIVE_INFINITY;
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
