import { basename } from "node:path";
import { BombyxError } from "@bombyx/protocol/wire";

/** Where a model comes from, as `--model` says it. */
export type ModelSpec =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string; readonly sha256: string }
  | {
      readonly kind: "hf";
      readonly repo: string;
      readonly file: string;
      readonly sha256: string | undefined;
    };

const forms = 'a path to a GGUF file, "https://…#sha256=HEX" or "hf:owner/repo/file.gguf"';
const hashSuffix = /#sha256=([0-9a-f]{64})$/;
const hfForm = /^hf:([\w.-]+\/[\w.-]+)\/((?:[\w.-]+\/)*[\w.-]+\.gguf)$/;

/** @throws BombyxError BAD_REQUEST, saying which forms there are. */
export function parseModelSpec(spec: string): ModelSpec {
  const sha256 = hashSuffix.exec(spec)?.[1];
  const place = spec.replace(hashSuffix, "");
  if (/^https?:/.test(spec)) {
    if (sha256 === undefined || !URL.canParse(place)) {
      throw bad(`The model "${spec}" needs its hash: add #sha256= and 64 lower-case hex digits.`);
    }
    return { kind: "url", url: place, sha256 };
  }
  if (spec.startsWith("hf:")) {
    const [, repo, file] = hfForm.exec(place) ?? [];
    if (repo === undefined || file === undefined || file.split("/").includes("..")) {
      throw bad(`The model "${spec}" is no name of Hugging Face; write hf:owner/repo/file.gguf.`);
    }
    return { kind: "hf", repo, file, sha256 };
  }
  if (spec === "") throw bad(`No model is named; give ${forms}.`);
  return { kind: "path", path: spec };
}

/** The name that clients ask for when the owner gives no other: the file's, in lower case. */
export function modelIdOf(spec: ModelSpec): string {
  const file =
    spec.kind === "path" ? spec.path : spec.kind === "url" ? new URL(spec.url).pathname : spec.file;
  return basename(file)
    .replace(/\.gguf$/i, "")
    .toLowerCase();
}

function bad(message: string): BombyxError {
  return new BombyxError("BAD_REQUEST", message, { field: "model" });
}
