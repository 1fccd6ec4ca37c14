// After `npm install`: the Node that came with it brings 67 MB of headers for add-ons in C, and nothing here is built from C.
import { existsSync, readdirSync, rmSync } from "node:fs";

const platforms = "node_modules/node/node_modules";
for (const platform of existsSync(platforms) ? readdirSync(platforms) : []) {
  if (platform.startsWith("node-"))
    rmSync(`${platforms}/${platform}/include`, { recursive: true, force: true });
}
