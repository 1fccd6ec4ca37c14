import type { Proof } from "@bombyx/sdk";

/**
 * Hands on the exact bytes of the bundle, which anybody can verify again: to the device's own share sheet, else
 * as a download. It holds nothing of the person or the conversation.
 * @returns how; `refused` when neither works, or when the person closed the share sheet.
 */
export async function shareProof({ bundle, verdict }: Proof): Promise<"shared" | "saved" | "refused"> {
  const name = `bombyx-proof-${verdict.attestationId.slice(0, 12)}.json`;
  const file = new File([new Uint8Array(bundle)], name, { type: "application/json" });
  const phone = matchMedia("(pointer: coarse)").matches;
  if (phone && navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file], title: name });
      return "shared";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return "refused";
    }
  }
  return save(file);
}

function save(file: File): "saved" | "refused" {
  try {
    const url = URL.createObjectURL(file);
    const link = document.createElement("a");
    link.href = url;
    link.download = file.name;
    link.click();
    // The browser reads it after this turn.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return "saved";
  } catch {
    return "refused";
  }
}
