import { describe, expect, it } from "vitest";
import { bottomButton, inkOn, parseMessage, popup } from "./bridge-messages.ts";
import { bridgeStorage } from "./bridge-storage.ts";

const labels = { ok: "OK", close: "Close", cancel: "Cancel" };

describe("what a Mini App says to Telegram", () => {
  it("is heard as JSON, also with its data in JSON once more", () => {
    const heard = { type: "web_app_open_link", data: { url: "https://ton.org" } };
    const eventData = { url: "https://ton.org" };
    expect(parseMessage(JSON.stringify({ eventType: "web_app_open_link", eventData }))).toEqual(heard);
    expect(
      parseMessage(JSON.stringify({ eventType: "web_app_open_link", eventData: JSON.stringify(eventData) })),
    ).toEqual(heard);
    expect(parseMessage(JSON.stringify({ eventType: "web_app_ready" }))).toEqual({
      type: "web_app_ready",
      data: {},
    });
  });

  it.each(["", "{", "null", "[]", '{"eventType":1}', 7, null, undefined])(
    "is nothing when it is %j",
    (raw) => {
      expect(parseMessage(raw)).toBeUndefined();
    },
  );

  it("brings no style but colours, and no more text than a button holds", () => {
    const button = bottomButton({
      is_visible: true,
      text: "x".repeat(200),
      color: "url(https://evil.example)",
    });
    expect(button).toMatchObject({ isVisible: true, isActive: true, colour: undefined });
    expect(button.text).toHaveLength(64);
    expect(bottomButton({ is_visible: true, text: " " }).isVisible).toBe(false);
    expect(bottomButton({ is_visible: true, text: "Pay", color: "#2481cc" }).colour).toBe("#2481cc");
  });

  it("is a popup with one to three buttons, whose presets are in the app's language", () => {
    const buttons = [
      { id: "a", type: "destructive", text: "Delete" },
      { id: "b", type: "cancel" },
    ];
    expect(popup({ title: "Sure?", message: "…", buttons }, labels).buttons).toEqual([
      { id: "a", type: "destructive", text: "Delete" },
      { id: "b", type: "cancel", text: "Cancel" },
    ]);
    expect(popup({ message: "…", buttons: "no list" }, labels).buttons).toEqual([
      { id: "", type: "close", text: "Close" },
    ]);
  });
});

it("writes on a Mini App's own ground in what is read better", () => {
  expect([inkOn("#ffffff"), inkOn("#17212b"), inkOn("#2481cc"), inkOn("#ffe14d")]).toEqual([
    "#000000",
    "#ffffff",
    "#000000",
    "#000000",
  ]);
});

describe("storage in the app", () => {
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  };
  const of = (drawer: string) => bridgeStorage(drawer, storage);
  const say = (drawer: string, type: string, data: object) =>
    of(drawer).answer({ type, data: data as never });

  it("keeps device, secure and cloud values apart, and those of each person", () => {
    const saved = say("ada", "web_app_device_storage_save_key", { req_id: "1", key: "k", value: "v" });
    expect(saved).toEqual(["device_storage_key_saved", { req_id: "1" }]);
    const asked = { req_id: "2", key: "k" };
    expect(say("ada", "web_app_device_storage_get_key", asked)?.[1]).toEqual({ req_id: "2", value: "v" });
    expect(say("lev", "web_app_device_storage_get_key", asked)?.[1]).toEqual({ req_id: "2", value: null });
    expect(say("ada", "web_app_secure_storage_get_key", asked)?.[1]).toEqual({ req_id: "2", value: null });
    say("ada", "web_app_device_storage_clear", { req_id: "3" });
    expect(say("ada", "web_app_device_storage_get_key", asked)?.[1]).toEqual({ req_id: "2", value: null });
  });

  it("answers the cloud's methods, and an unknown one with an error", () => {
    const cloud = (method: string, params: object) =>
      say("ada", "web_app_invoke_custom_method", { req_id: "9", method, params })?.[1];
    expect(cloud("saveStorageValue", { key: "a", value: "1" })).toEqual({ req_id: "9", result: true });
    expect(cloud("getStorageValues", { keys: ["a", "b"] })).toEqual({
      req_id: "9",
      result: { a: "1", b: "" },
    });
    expect(cloud("getStorageKeys", {})).toEqual({ req_id: "9", result: ["a"] });
    expect(cloud("deleteStorageValues", { keys: ["a"] })).toEqual({ req_id: "9", result: true });
    expect(cloud("getStorageKeys", {})).toEqual({ req_id: "9", result: [] });
    expect(cloud("eraseEverything", {})).toEqual({ req_id: "9", error: "METHOD_INVALID" });
  });
});
