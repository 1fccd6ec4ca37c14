import type { MiniappMessage } from "./bridge-messages.ts";

type Reply = readonly [event: string, data: Record<string, unknown>];

/** The person's storage in the app, by the names of the bridge. In this browser, one drawer per person and bot. */
export interface BridgeStorage {
  /** @returns the event that answers, or `undefined` for what is no matter of storage. */
  answer(message: MiniappMessage): Reply | undefined;
}

export function bridgeStorage(
  drawer: string,
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem">,
): BridgeStorage {
  const read = (kind: string): Record<string, string> => {
    try {
      return JSON.parse(storage.getItem(`${drawer}/${kind}`) ?? "{}") as Record<string, string>;
    } catch {
      return {};
    }
  };
  const write = (kind: string, values: Record<string, string>) =>
    storage.setItem(`${drawer}/${kind}`, JSON.stringify(values));

  const keyed = (
    kind: "device" | "secure",
    verb: string,
    data: MiniappMessage["data"],
  ): Reply | undefined => {
    const { req_id, key, value } = data;
    const event = `${kind}_storage`;
    const values = read(kind);
    const name = String(key);
    switch (verb) {
      case "save_key":
        if (typeof value === "string") values[name] = value;
        else delete values[name];
        write(kind, values);
        return [`${event}_key_saved`, { req_id }];
      case "get_key":
        return [`${event}_key_received`, { req_id, value: values[name] ?? null }];
      case "restore_key":
        return [`${event}_key_restored`, { req_id, value: values[name] ?? null }];
      case "clear":
        storage.removeItem(`${drawer}/${kind}`);
        return [`${event}_cleared`, { req_id }];
      default:
        return undefined;
    }
  };

  const cloud = (method: unknown, params: Record<string, unknown>): unknown => {
    const values = read("cloud");
    const keys = (Array.isArray(params.keys) ? params.keys : []).map(String);
    switch (method) {
      case "saveStorageValue":
        write("cloud", { ...values, [String(params.key)]: String(params.value) });
        return true;
      case "getStorageValues":
        return Object.fromEntries(keys.map((key) => [key, values[key] ?? ""]));
      case "deleteStorageValues":
        write("cloud", Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key))));
        return true;
      case "getStorageKeys":
        return Object.keys(values);
      default:
        return undefined;
    }
  };

  return {
    answer({ type, data }) {
      const [, kind, verb] = /^web_app_(device|secure)_storage_(\w+)$/.exec(type) ?? [];
      if (kind === "device" || kind === "secure") return keyed(kind, verb ?? "", data);
      if (type !== "web_app_invoke_custom_method") return undefined;
      const { req_id, method, params } = data;
      const result = cloud(method, (params ?? {}) as Record<string, unknown>);
      return [
        "custom_method_invoked",
        result === undefined ? { req_id, error: "METHOD_INVALID" } : { req_id, result },
      ];
    },
  };
}
