import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { RoundhouseError } from '../../../shared/errors.ts';
import { type FileFacts, identityOf, shardName } from '../gguf-files.ts';
import type { ModelHeader } from '../protocol-estimate.ts';
import { headerFacts } from './gguf-facts.ts';
import { type Metadata, PAIRS_LIMIT, readMetadata } from './gguf-metadata.ts';
import { GgufReader, HeaderAllowance } from './gguf-reader.ts';
import { readTensors, TENSORS_LIMIT, type TensorFacts } from './gguf-tensors.ts';
import { readTokenizer } from './gguf-tokenizer.ts';

const MAGIC = 'GGUF';
const HEADER_BYTES_LIMIT = 64 * 1024 * 1024;
const SHARDS_LIMIT = 512;

/**
 * Reads the header of the model at `path`, and of all its shards when the file is the first of several. Safe on any
 * file: it takes less than a second and 50 MB. Synchronous: for a child process.
 * @throws RoundhouseError `gguf_invalid` with the reason and its numbers
 */
export function readModelHeader(path: string): ModelHeader {
  const allowance = new HeaderAllowance(HEADER_BYTES_LIMIT);
  const first = readFile(path, allowance);
  const files: FileFacts[] = [first.facts];
  const tensors = [...first.tensors];
  for (const shard of otherShards(path, first.metadata)) {
    const { facts, tensors: more } = readFile(shard, allowance);
    files.push(facts);
    // Not `push(...more)`: a large list would not fit on the stack as arguments.
    for (const tensor of more) tensors.push(tensor);
    if (tensors.length > TENSORS_LIMIT) {
      throw refusal(
        path,
        `its shards have more than the ${TENSORS_LIMIT.toLocaleString('en')} tensors allowed`,
      );
    }
  }
  const identity = identityOf(files);
  const fileBytes = files.reduce((sum, file) => sum + file.size, 0);
  return {
    identity,
    fileBytes,
    shards: files.length,
    tokenizer: readTokenizer(path, first.metadata),
    ...headerFacts(basename(path), first.metadata, tensors),
  };
}

interface FileHeader {
  readonly facts: FileFacts;
  readonly metadata: Metadata;
  readonly tensors: readonly TensorFacts[];
}

function readFile(path: string, allowance: HeaderAllowance): FileHeader {
  using reader = new GgufReader(path, allowance);
  if (reader.sizeBytes < MAGIC.length || reader.utf8(MAGIC.length) !== MAGIC) {
    throw reader.invalid('it is not a GGUF file (it does not begin with "GGUF")');
  }
  const version = reader.u32();
  if (version === 0x0200_0000 || version === 0x0300_0000) {
    throw reader.invalid('it is a big-endian GGUF file; only little-endian ones can be loaded');
  }
  if (version !== 2 && version !== 3) {
    throw reader.invalid(`it has GGUF version ${version}; versions 2 and 3 can be loaded`);
  }
  const tensorCount = reader.count(TENSORS_LIMIT, 'the number of tensors');
  const pairCount = reader.count(PAIRS_LIMIT, 'the number of metadata keys');
  const metadata = readMetadata(reader, pairCount);
  const alignment = metadata.get('general.alignment');
  if (alignment && alignment.kind !== 'number') throw reader.invalid('its general.alignment is not a number');
  const tensors = readTensors(reader, tensorCount, alignment?.value ?? null);
  return { facts: { size: reader.sizeBytes, mtimeMs: reader.mtimeMs }, metadata, tensors };
}

/** Paths of shards 2 to N, which must all lie beside the first. */
function otherShards(path: string, metadata: Metadata): string[] {
  const split = metadata.get('split.count');
  const count = split?.kind === 'number' ? split.value : 1;
  if (count <= 1) return [];
  const fail = (reason: string) => refusal(path, reason);
  const name = shardName(path);
  if (!name || name.count !== count) {
    const pattern = `NAME-00001-of-${String(count).padStart(5, '0')}.gguf`;
    throw fail(
      `it is one of ${count} files of a model, and its name is not of the form ${pattern}; rename it back`,
    );
  }
  if (name.number !== 1) {
    throw fail(`it is file ${name.number} of ${count}; choose the first, ${basename(name.pathOf(1))}`);
  }
  if (count > SHARDS_LIMIT) throw fail(`it has ${count} shards, more than the ${SHARDS_LIMIT} allowed`);
  const others = Array.from({ length: count - 1 }, (_, index) => name.pathOf(index + 2));
  const missing = others.filter((shard) => !existsSync(shard));
  if (missing[0] !== undefined) {
    throw fail(
      `${missing.length} of its ${count} files are missing, the first of them ${basename(missing[0])}`,
    );
  }
  return others;
}

function refusal(path: string, reason: string): RoundhouseError {
  return new RoundhouseError('gguf_invalid', `${basename(path)} cannot be used: ${reason}.`);
}
