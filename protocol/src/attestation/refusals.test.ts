import { beforeAll, describe, expect, test } from "vitest";
import { Ground } from "../../test/attacks/ground.ts";
import { refusals, twins } from "../../test/attacks/refusals.ts";
import { ReleaseDesk } from "../../test/attacks/release-desk.ts";
import { type AttestationReason, attestationReasons } from "./index.ts";

let ground: Ground;
let desk: ReleaseDesk;
beforeAll(async () => {
  ground = await Ground.prepare();
  desk = await ReleaseDesk.open(ground);
});

describe("every reason is reached by an attack of its own", () => {
  test.each(Object.entries(twins))("%s without a change is accepted", async (_, twin) => {
    await expect(twin(ground, desk)).resolves.toBeDefined();
  });

  test.each(Object.entries(attestationReasons))("%s, of the step %s", async (reason, step) => {
    const attack = refusals[reason as AttestationReason](ground, desk);
    await expect(attack).rejects.toMatchObject({
      name: "AttestationError",
      code: "ATTESTATION",
      reason,
      step,
      message: expect.stringMatching(/^["A-Z].+[^.][.?]$/s),
    });
  });
});
