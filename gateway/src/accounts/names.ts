import { BombyxError, count } from "@bombyx/protocol/wire";
import * as z from "zod";

const developerSchema = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/);
/** Telegram ids fit 52 bits. */
export const telegramIdSchema = count.min(1).max(2 ** 52 - 1);

export const developerAccount = (developer: string) => `developer:${developer}`;
export const personAccount = (botId: number | bigint, userId: number | bigint) => `person:${botId}:${userId}`;

/** @throws BombyxError BAD_REQUEST. */
export function assertDeveloper(developer: string): void {
  if (!developerSchema.safeParse(developer).success) {
    throw new BombyxError(
      "BAD_REQUEST",
      `A developer's name is 1 to 32 of a-z, 0-9 and inner hyphens, not ${JSON.stringify(developer)}.`,
      { field: "developer" },
    );
  }
}

/** @throws BombyxError BAD_REQUEST. */
export function assertTelegramId(id: number, field: string): void {
  if (!telegramIdSchema.safeParse(id).success) {
    throw new BombyxError("BAD_REQUEST", `${field} is a Telegram id, a whole number above 0, not ${id}.`, {
      field,
    });
  }
}
