// Variants of a real model for tests. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

const alignment = 32;
const keyValuesAt = 24;

/** The GGUF `source` with another chat template; everything else, the weights included, stays the same. */
export function withChatTemplate(source: Buffer, template: string): Buffer {
  const key = "tokenizer.chat_template";
  const valueAt = source.indexOf(key) + key.length + 4;
  const length = Number(source.readBigUInt64LE(valueAt));
  const before = source.subarray(0, valueAt);
  return withHead(source, [before, string(template)], valueAt + 8 + length);
}

/** The GGUF `source` saying that it is the first of `count` files. */
export function asFirstOf(source: Buffer, count: number): Buffer {
  const before = Buffer.from(source.subarray(0, keyValuesAt));
  before.writeBigUInt64LE(before.readBigUInt64LE(16) + 1n, 16);
  const value = Buffer.alloc(6);
  value.writeUInt32LE(uint16Type, 0);
  value.writeUInt16LE(count, 4);
  return withHead(source, [before, string("split.count"), value], keyValuesAt);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
}

/** A new beginning, then the rest of the header from `restAt` on, padding, and the tensors. */
function withHead(source: Buffer, begin: readonly Buffer[], restAt: number): Buffer {
  const infosEnd = endOfTensorInfos(source);
  const tensorsAt = Math.ceil(infosEnd / alignment) * alignment;
  const head = Buffer.concat([...begin, source.subarray(restAt, infosEnd)]);
  const padding = Buffer.alloc(Math.ceil(head.length / alignment) * alignment - head.length);
  return Buffer.concat([head, padding, source.subarray(tensorsAt)]);
}

const scalarBytes: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const uint16Type = 2;
const stringType = 8;
const arrayType = 9;

function endOfTensorInfos(source: Buffer): number {
  let at = 8;
  const u32 = (): number => {
    at += 4;
    return source.readUInt32LE(at - 4);
  };
  const u64 = (): number => {
    at += 8;
    return Number(source.readBigUInt64LE(at - 8));
  };
  const skipString = (): void => {
    const length = u64();
    at += length;
  };
  const skipValue = (type: number): void => {
    if (type === stringType) skipString();
    else if (type !== arrayType) at += scalarBytes[type] ?? 0;
    else {
      const itemType = u32();
      for (let left = u64(); left > 0; left -= 1) skipValue(itemType);
    }
  };
  const tensors = u64();
  for (let left = u64(); left > 0; left -= 1) {
    skipString();
    skipValue(u32());
  }
  for (let left = tensors; left > 0; left -= 1) {
    skipString();
    const dimensions = u32();
    at += dimensions * 8 + 4 + 8;
  }
  return at;
}
