/** `npm run reset`: forgets this devnet, its keys and its ledger. */
import { readEnvironment } from "./config.ts";
import { AlreadyRunningError } from "./state/network-lock.ts";
import { runningSentence, StateDirectory } from "./state/state-directory.ts";

try {
  const { DEVNET_DIR } = readEnvironment(process.env);
  try {
    await StateDirectory.reset(DEVNET_DIR);
    process.stdout.write(`${DEVNET_DIR} is cleared.\n`);
  } catch (error) {
    if (!(error instanceof AlreadyRunningError)) throw error;
    process.stderr.write(`${await runningSentence(DEVNET_DIR)}\n`);
    process.exitCode = 1;
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
