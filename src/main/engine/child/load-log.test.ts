import { describe, expect, it } from 'vitest';
import { RoundhouseError } from '../../../shared/errors.ts';
import { LoadLog } from './load-log.ts';

const FAILED = new Error('Failed to create context');

function errorAfter(lines: readonly string[], thrown: unknown = FAILED) {
  const log = new LoadLog();
  log.begin();
  for (const line of lines) log.add(line);
  return log.errorOf(thrown);
}

describe('a load that failed', () => {
  it.each([
    'ggml_aligned_malloc: insufficient memory (attempted to allocate 192.00 MB)',
    'ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 201326592\n',
    'unable to allocate CPU buffer',
    'ggml_metal_buffer_type_alloc_buffer: error: failed to allocate buffer, size =  4096.00 MiB',
    'error: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)',
    'mmap failed: Cannot allocate memory',
    'std::bad_alloc',
  ])('ran out of memory when the log says so: %s', (line) => {
    const error = errorAfter(['llama_model_load: loading', line, 'failed to initialize the context']);
    expect(error.code).toBe('insufficient_memory');
    expect(error.message).toBe(`the system had no memory for it (${line.trim()})`);
  });

  it('or when what was thrown says so', () => {
    expect(errorAfter([], new Error('out of memory')).code).toBe('insufficient_memory');
  });

  it('did not where other things were wrong', () => {
    const error = errorAfter(['gguf_init_from_file: invalid magic', 'memory: unknown key']);
    expect(error.code).toBe('model_load_failed');
    expect(error.message).toBe('llama.cpp cannot load this file: Failed to create context');
  });

  it('keeps an error of ours as it is', () => {
    const ours = new RoundhouseError('model_load_failed', 'the chat template cannot be read');
    expect(errorAfter(['out of memory'], ours)).toBe(ours);
  });

  it('is not blamed on what an earlier load logged', () => {
    const log = new LoadLog();
    log.add('out of memory');
    log.begin();
    expect(log.errorOf(FAILED).code).toBe('model_load_failed');
  });
});
