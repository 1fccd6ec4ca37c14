#!/usr/bin/env node
import { runCli } from "./proxy/command.ts";

process.exitCode = await runCli(process.argv.slice(2), process);
