#!/usr/bin/env node
import { runCli } from "./command-line.ts";

process.exitCode = await runCli(process.argv.slice(2));
