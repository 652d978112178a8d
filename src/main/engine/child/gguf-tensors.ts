import { TENSOR_TYPES, type TensorType } from './ggml-types.ts';
import { quoted } from './gguf-metadata.ts';
import type { GgufReader } from './gguf-reader.ts';

/*
 * The tensor table of a GGUF file. The rules are llama.cpp's own, so that what passes here is not refused there later:
 * tensors lie one after the other, each at the next multiple of the alignment.
 */

/** Also over all shards of a model. The most seen in a real model are about 18,000. */
export const TENSORS_LIMIT = 32_768;
const LIMITS = {
  nameBytes: 63,
  dimensions: 4,
  dimension: 2 ** 40,
  alignment: 65_536,
} as const;
const DEFAULT_ALIGNMENT = 32;

export interface TensorFacts {
  readonly name: string;
  readonly type: TensorType;
  readonly dimensions: readonly number[];
  readonly elements: number;
  readonly bytes: number;
}

/**
 * Reads `count` tensor entries, and checks that the data of each lies inside the file.
 * @param count at most `TENSORS_LIMIT`
 * @param alignment the value of `general.alignment`, `null` where the file does not say
 * @throws RoundhouseError `gguf_invalid`
 */
export function readTensors(reader: GgufReader, count: number, alignment: number | null): TensorFacts[] {
  const align = alignment ?? DEFAULT_ALIGNMENT;
  if (!(align >= 1 && align <= LIMITS.alignment && Number.isInteger(Math.log2(align)))) {
    throw reader.invalid(`its alignment is ${align}, not a power of two up to ${number(LIMITS.alignment)}`);
  }
  const names = new Set<string>();
  const tensors: TensorFacts[] = [];
  let dataBytes = 0;
  for (let index = 0; index < count; index++) {
    const tensor = readTensor(reader, index);
    const offset = reader.offset(`the offset of tensor ${quoted(tensor.name)}`);
    if (names.has(tensor.name)) throw reader.invalid(`the tensor ${quoted(tensor.name)} is there twice`);
    names.add(tensor.name);
    if (offset !== dataBytes) {
      const [is, expected] = [number(offset), number(dataBytes)];
      throw reader.invalid(
        `the tensor ${quoted(tensor.name)} has the offset ${is} where ${expected} is expected`,
      );
    }
    const end = offset + tensor.bytes;
    if (end > reader.sizeBytes) throw outside(reader, tensor, end);
    tensors.push(tensor);
    dataBytes = padded(end, align);
  }
  const dataStart = padded(reader.position, align);
  const last = tensors.at(-1);
  // The padding after the last tensor may be missing: llama.cpp does not need it.
  const end = dataStart + dataBytes - (last ? padded(last.bytes, align) - last.bytes : 0);
  if (last && end > reader.sizeBytes) throw outside(reader, last, end);
  return tensors;
}

function readTensor(reader: GgufReader, index: number): TensorFacts {
  const name = reader.text(LIMITS.nameBytes, `the name of tensor ${index + 1}`);
  const rank = reader.u32();
  if (rank < 1 || rank > LIMITS.dimensions) {
    throw reader.invalid(
      `the tensor ${quoted(name)} has ${number(rank)} dimensions, not 1 to ${LIMITS.dimensions}`,
    );
  }
  const dimensions = Array.from({ length: rank }, (_, axis) =>
    reader.count(LIMITS.dimension, `dimension ${axis + 1} of the tensor ${quoted(name)}`),
  );
  const typeId = reader.u32();
  const type = TENSOR_TYPES.get(typeId);
  if (!type) throw reader.invalid(`the tensor ${quoted(name)} has the unknown type ${number(typeId)}`);
  const row = dimensions[0] ?? 0;
  if (row % type.blockElements !== 0) {
    const block = `a multiple of the ${type.blockElements} of a ${type.name} block`;
    throw reader.invalid(`the tensor ${quoted(name)} has rows of ${number(row)} elements, not ${block}`);
  }
  const elements = dimensions.reduce((product, dimension) => product * dimension, 1);
  // Beyond this the product is no longer exact; no file is so large.
  if (elements > Number.MAX_SAFE_INTEGER / 8) {
    throw reader.invalid(
      `the tensor ${quoted(name)} has ${dimensions.map(number).join(' × ')} elements, too many for any file`,
    );
  }
  return { name, type, dimensions, elements, bytes: (elements / type.blockElements) * type.blockBytes };
}

function outside(reader: GgufReader, tensor: TensorFacts, end: number) {
  const [needs, has] = [number(end), number(reader.sizeBytes)];
  return reader.invalid(
    `the tensor ${quoted(tensor.name)} ends at byte ${needs}, and the file has only ${has}; get the file again`,
  );
}

function padded(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
