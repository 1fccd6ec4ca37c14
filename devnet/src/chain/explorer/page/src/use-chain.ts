import { useEffect, useState } from "react";
import { ask } from "./ask.ts";

/** What `path` answers, asked again after each change of the chain. */
export function useAsked<T>(path: string, version: number): { value?: T; error?: string } {
  const [answer, setAnswer] = useState<{ path: string; value?: T; error?: string }>({ path });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version of the chain is a reason to ask again
  useEffect(() => {
    let isGone = false;
    ask<T>(path).then(
      (value) => !isGone && setAnswer({ path, value }),
      (error: Error) => !isGone && setAnswer({ path, error: error.message }),
    );
    return () => {
      isGone = true;
    };
  }, [path, version]);
  return answer.path === path ? answer : {};
}

/** Counts the chain's changes; several in a moment are one. `isGone`: the network was stopped. */
export function useChanges(): { version: number; isGone: boolean } {
  const [state, setState] = useState({ version: 0, isGone: false });
  useEffect(() => {
    const events = new EventSource("api/events");
    let timer: number | undefined;
    events.onmessage = () => {
      timer ??= window.setTimeout(() => {
        timer = undefined;
        setState(({ version }) => ({ version: version + 1, isGone: false }));
      }, 120);
    };
    events.onerror = () => setState(({ version }) => ({ version, isGone: true }));
    return () => {
      events.close();
      clearTimeout(timer);
    };
  }, []);
  return state;
}

/** The place after `#`, e.g. `/account/EQ…`. */
export function useRoute(): string {
  const [route, setRoute] = useState(window.location.hash.slice(1));
  useEffect(() => {
    const look = () => {
      setRoute(window.location.hash.slice(1));
      window.scrollTo(0, 0);
    };
    window.addEventListener("hashchange", look);
    return () => window.removeEventListener("hashchange", look);
  }, []);
  return route;
}

/** Milliseconds since `since` changed, each second anew. */
export function useSeconds(since: unknown): number {
  const [elapsed, setElapsed] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: counting begins anew with each answer
  useEffect(() => {
    const begun = Date.now();
    setElapsed(0);
    const timer = setInterval(() => setElapsed(Math.floor((Date.now() - begun) / 1_000) * 1_000), 1_000);
    return () => clearInterval(timer);
  }, [since]);
  return elapsed;
}
