/**
 * The GGUF `source` with another chat template; everything else, the weights included, stays the same.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function withChatTemplate(source: Buffer, template: string): Buffer {
  const alignment = 32;
  const key = "tokenizer.chat_template";
  const at = source.indexOf(key);
  const valueAt = at + key.length + 4;
  const length = Number(source.readBigUInt64LE(valueAt));
  const infosEnd = endOfTensorInfos(source);
  const dataAt = Math.ceil(infosEnd / alignment) * alignment;
  const text = Buffer.from(template);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const head = Buffer.concat([
    source.subarray(0, valueAt),
    size,
    text,
    source.subarray(valueAt + 8 + length, infosEnd),
  ]);
  const padding = Buffer.alloc(Math.ceil(head.length / alignment) * alignment - head.length);
  return Buffer.concat([head, padding, source.subarray(dataAt)]);
}

const scalarBytes: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
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
