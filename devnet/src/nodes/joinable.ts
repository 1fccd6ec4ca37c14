import * as z from "zod";

/** In a devnet's folder while it runs: what one more node needs to know. */
export const joinFile = "join.json";

export const joinSchema = z.strictObject({
  gateway: z.url(),
  chainEndpoints: z.array(z.url()),
  model: z.strictObject({ path: z.string(), id: z.string() }),
  slots: z.int(),
  pace: z.number(),
});
export type Joinable = z.infer<typeof joinSchema>;

/** What the Mini App of a devnet shows to an owner; it works in the folder where `npm start` was said. */
export const joinCommand = "npm run -s node -- --pair {code}";
