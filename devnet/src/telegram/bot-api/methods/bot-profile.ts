import { z } from "zod";
import { type Method, method } from "./method.ts";

const getMe = method(z.object({}), ({ bot }) => bot.user);
/** Both are for bots that move between servers; there is one here, so that they only answer. */
const logOut = method(z.object({}), () => true);
const close = method(z.object({}), () => true);

export const profileMethods: Readonly<Record<string, Method>> = { getMe, logOut, close };
