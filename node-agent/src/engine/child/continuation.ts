import type { LlamaModel, Token } from "node-llama-cpp";

/** Scripts without blanks have no word to go back to. */
const mostTokensBack = 8;

/**
 * Delivered text may end inside a word that the model would have cut into other tokens. Its last word is
 * taken back, to be sampled again under a grammar that begins with its text: at temperature 0 the answer
 * then goes on exactly as if it had not been interrupted.
 * @returns undefined when there is nothing to take back.
 */
export function cutOpenEnd(
  model: LlamaModel,
  tokens: readonly Token[],
  text: string,
): { readonly kept: readonly Token[]; readonly text: string } | undefined {
  let cut: { kept: readonly Token[]; text: string } | undefined;
  const last = Math.max(0, tokens.length - mostTokensBack);
  for (let keep = tokens.length - 1; keep >= last; keep -= 1) {
    const kept = tokens.slice(0, keep);
    const before = model.detokenize(kept, true);
    // A character of several tokens is taken back as a whole.
    if (!text.startsWith(before) || before.length === text.length) continue;
    cut = { kept, text: text.slice(before.length) };
    if (/^\s/.test(cut.text)) break;
  }
  return cut;
}
