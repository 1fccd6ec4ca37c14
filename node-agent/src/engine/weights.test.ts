import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startEngine } from "./start-engine.ts";
import { spark } from "./test/chat.ts";
import { asFirstOf } from "./test/gguf-variant.ts";
import { takeWeights } from "./weights.ts";

let folder: string;
let whole: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bombyx-weights-test-"));
  whole = await readFile(spark);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function refusalOf(name: string, bytes: Uint8Array): Promise<Error> {
  const modelPath = join(folder, name);
  await writeFile(modelPath, bytes);
  return startEngine({ modelPath, modelId: "x", slots: 1 }).then(
    async (engine) => {
      await engine.close();
      return new Error("it was served");
    },
    (error: Error) => error,
  );
}

test("a model that is not there is refused with its path", async () => {
  const modelPath = join(folder, "nowhere.gguf");
  await expect(startEngine({ modelPath, modelId: "x", slots: 1 })).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining(modelPath),
  });
});

test("a folder is refused", async () => {
  await expect(startEngine({ modelPath: folder, modelId: "x", slots: 1 })).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
});

test("a file of another kind is refused before it is copied", async () => {
  const error = await refusalOf("model.bin", new TextEncoder().encode("PK and so on"));
  expect(error).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("not a GGUF file") });
});

test.each([
  ["in the header", 1_000],
  ["behind the header", 400_000],
  ["by one tensor row", -100],
])("a file that was cut %s is refused as corrupt", async (name, length) => {
  const error = await refusalOf(`cut ${name}.gguf`, whole.subarray(0, length));
  expect(error).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("corrupt") });
});

test("a header full of nonsense is refused as corrupt", async () => {
  const bytes = new Uint8Array(whole);
  bytes.fill(0xff, 8, 4_096);
  const error = await refusalOf("nonsense.gguf", bytes);
  expect(error).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("corrupt") });
});

test("one part of a split model is refused with what to do", async () => {
  const error = await refusalOf("model-00001-of-00002.gguf", asFirstOf(whole, 2));
  expect(error).toMatchObject({ code: "BAD_REQUEST", message: expect.stringContaining("Merge them") });
});

test("the copy holds exactly the bytes that were hashed, whatever happens to the source", async () => {
  const source = join(folder, "source.gguf");
  await writeFile(source, whole);
  const weights = await takeWeights(source, () => undefined);
  await writeFile(source, "something else");
  const copy = Buffer.alloc(weights.bytes);
  await weights.file.read(copy, 0, copy.length, 0);
  expect(copy.equals(whole)).toBe(true);
  expect(weights.sha256).toBe("ced5cd1d39db42c677047621d02599e905fc785b2ae9d6d5fe24bb0a6f721ab7");
  await weights.release();
});
