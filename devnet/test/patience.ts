import { vi } from "vitest";

/** Journeys start whole networks: on a machine that does other work as well, that takes its time. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
