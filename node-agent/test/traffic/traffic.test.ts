import { ready } from "@bombyx/protocol/session";
import { beforeAll, describe, expect, it } from "vitest";
import { crossValidated } from "./classifier.ts";
import { classes, traces } from "./traces.ts";

/**
 * What somebody on the way learns of an answer from its traffic alone. Five kinds of answers, all of one number
 * of tokens, to prompts of one bucket; a classifier that was taught on other answers guesses the kind.
 */
const chance = 1 / classes;
const count = 500;
beforeAll(() => ready);

describe("an eavesdropper who guesses one of five kinds", () => {
  it("does at most ten points better than chance, with frames padded and sent by the tick", async () => {
    const { upper } = crossValidated(await traces(count, { shaped: true }, 1), classes);
    expect(upper).toBeLessThanOrEqual(chance + 0.1);
  });

  it("does at least forty points better when padding and tick are off, so the guess is a good one", async () => {
    const { accuracy } = crossValidated(await traces(count, { shaped: false }, 1), classes);
    expect(accuracy).toBeGreaterThanOrEqual(chance + 0.4);
  });

  it("sees how long an answer takes, which nothing hides: the limit that the documents state", async () => {
    for (const differ of ["first token", "length"] as const) {
      const { accuracy } = crossValidated(await traces(100, { shaped: true, differ }, 1), classes);
      expect(accuracy).toBeGreaterThan(chance + 0.2);
    }
  });
});
