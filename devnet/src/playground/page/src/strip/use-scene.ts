import { useEffect, useState } from "react";
import type { Scene } from "../../../playground-host.ts";

/** The network behind the page; `undefined` until it is known, `"gone"` when its server is. */
export function useScene(): Scene | "gone" | undefined {
  const [scene, setScene] = useState<Scene | "gone">();
  useEffect(() => {
    // Reconnects by itself.
    const stream = new EventSource("/scene/events");
    stream.onmessage = ({ data }) => setScene(JSON.parse(String(data)) as Scene);
    stream.onerror = () => setScene((last) => (last === undefined ? last : "gone"));
    return () => stream.close();
  }, []);
  return scene;
}
