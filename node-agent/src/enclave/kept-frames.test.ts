import { expect, it } from "vitest";
import { KeptFrames } from "./kept-frames.ts";

function kept(frames: number): KeptFrames {
  const keeper = new KeptFrames(100);
  for (let i = 0; i < frames; i++) keeper.push(new Uint8Array(10).fill(i));
  return keeper;
}

it("keeps every frame while they fit", () => {
  const frames = kept(10);
  frames.trim(10);
  expect([frames.first, frames.end]).toEqual([0, 10]);
  expect(frames.get(0)).toEqual(new Uint8Array(10).fill(0));
});

it("above its limit drops the oldest frames that the client has, and never one that it has not", () => {
  const frames = kept(15);
  frames.trim(3);
  expect([frames.first, frames.end]).toEqual([3, 15]);
  frames.trim(15);
  expect([frames.first, frames.end]).toEqual([5, 15]);
  expect(frames.get(4)).toBeUndefined();
  expect(frames.get(5)).toEqual(new Uint8Array(10).fill(5));
});
