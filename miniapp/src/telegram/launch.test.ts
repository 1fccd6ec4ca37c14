import { describe, expect, it } from "vitest";
import { readLaunch } from "./launch.ts";

const initData = new URLSearchParams({
  user: JSON.stringify({ id: 42, first_name: "Ada", language_code: "ru" }),
  hash: "00",
}).toString();
const fragment = (more: Record<string, string> = {}) =>
  `#${new URLSearchParams({ tgWebAppData: initData, ...more })}`;

const memory = () => {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
};

describe("launch parameters", () => {
  it("hold what Telegram sent", () => {
    const launch = readLaunch(
      fragment({
        tgWebAppVersion: "9.1",
        tgWebAppPlatform: "ios",
        tgWebAppThemeParams: '{"bg_color":"#FFFFFF","evil":"url(https://a.example)","n":1}',
      }),
      undefined,
    );
    expect(launch).toEqual({
      initData,
      version: "9.1",
      platform: "ios",
      theme: { bg_color: "#ffffff" },
      language: "ru",
      user: 42,
    });
  });

  it("are usable from a client that says nothing else, or nonsense", () => {
    expect(readLaunch(fragment(), undefined)).toMatchObject({
      version: "6.0",
      platform: "unknown",
      theme: {},
    });
    expect(
      readLaunch(fragment({ tgWebAppVersion: "<b>", tgWebAppThemeParams: "{not json" }), undefined),
    ).toMatchObject({ version: "6.0", theme: {} });
  });

  it("are there after a reload, and for nobody outside Telegram", () => {
    const storage = memory();
    const first = readLaunch(fragment({ tgWebAppVersion: "8.0" }), storage);
    expect(readLaunch("", storage)).toEqual(first);
    expect(readLaunch("", memory())).toBeUndefined();
    expect(readLaunch("#something", undefined)).toBeUndefined();
  });

  it("are read where the web view's storage throws", () => {
    const broken = {
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("denied");
      },
    };
    expect(readLaunch(fragment(), broken)).toMatchObject({ initData });
    expect(readLaunch("", broken)).toBeUndefined();
  });
});
