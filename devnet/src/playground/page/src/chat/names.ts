import type { User } from "@grammyjs/types";

export const fullName = (user: Pick<User, "first_name" | "last_name">): string =>
  [user.first_name, user.last_name].filter(Boolean).join(" ");

/** Telegram gives everybody one of seven colours. */
export const colourOf = (id: number): number => Math.abs(id) % 7;

export const initials = (name: string): string =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
