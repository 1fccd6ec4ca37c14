import { expect, it } from "vitest";
import { startEngine } from "../../src/engine/start-engine.ts";
import { answer, chat, spark } from "../../src/engine/test/chat.ts";
import { statedGpu } from "../../src/gpu/guard.ts";
import { scriptedManifest } from "../scripted-engine.ts";

const start = { modelPath: spark, modelId: "spark", slots: 1 };

it("asks for the GPU before each load, after a crash as well, and loads nothing when refused", async () => {
  await expect(
    startEngine({ ...start, gpu: () => Promise.reject(new Error("not this one")) }),
  ).rejects.toThrow("not this one");
  let asked = 0;
  const again = Promise.withResolvers<void>();
  const engine = await startEngine({
    ...start,
    gpu: async () => {
      asked += 1;
      if (asked === 2) again.resolve();
      return false;
    },
  });
  try {
    expect(asked).toBe(1);
    expect(engine.model.manifest.engineFlags).toContain("gpu=none");
    process.kill(engine.pid ?? 0, "SIGKILL");
    await again.promise;
    expect((await answer(engine, chat("What is 4 + 5?"))).text).not.toBe("");
    expect(asked).toBe(2);
  } finally {
    await engine.close();
  }
}, 30_000);

it("states only what the engine computes on", () => {
  const on = (...engineFlags: string[]) => [{ ...scriptedManifest, engineFlags }];
  const cc = { mode: "cc", evidence: new Uint8Array(1) } as const;
  const none = { mode: "none", evidence: null } as const;
  expect(statedGpu(cc, on("gpu=cuda"))).toBe(cc);
  expect(statedGpu(cc, on("gpu=none"))).toEqual(none);
  expect(statedGpu(none, on("gpu=none"))).toEqual(none);
  expect(() => statedGpu(none, on("gpu=cuda"))).toThrow(expect.objectContaining({ reason: "GPU_OFFLOADED" }));
});
