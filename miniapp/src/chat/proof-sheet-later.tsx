import { lazy, Suspense } from "react";
import { Sheet } from "../components/sheet.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { useText } from "../i18n/use-text.ts";
import type { ConnectionState } from "../network/connection.ts";

const ProofSheet = lazy(() =>
  import("../proof/proof-sheet.tsx").then(({ ProofSheet }) => ({ default: ProofSheet })),
);

/** The proof sheet is looked at by some, so its code comes when it is opened; the card is there at once. */
export function ProofSheetLater(props: { network: ConnectionState; onClose: () => void }) {
  const t = useText();
  return (
    <Suspense
      fallback={
        <Sheet title="…" onClose={props.onClose}>
          <Skeleton lines={5} label={t("loading")} />
        </Sheet>
      }
    >
      <ProofSheet {...props} />
    </Suspense>
  );
}
