import { encode } from "uqr";
import { Button } from "../components/button.tsx";
import { useText } from "../i18n/use-text.ts";
import { useTelegram } from "../telegram/telegram-context.ts";

/** Where the wallet is an app beside this one it is opened; from a computer, its phone scans the way to it. */
export function LinkToWallet({ link, platform, name }: { link: string; platform: string; name: string }) {
  const t = useText();
  const telegram = useTelegram();
  const isPhone = platform === "ios" || platform === "android";
  return (
    <>
      {!isPhone && <LinkCode link={link} label={t("tc-scan", { wallet: name })} />}
      <Button icon="open" onClick={() => telegram?.openLink(link)}>
        {t("tc-open-wallet", { wallet: name })}
      </Button>
    </>
  );
}

function LinkCode({ link, label }: { link: string; label: string }) {
  const { data, size } = encode(link, { border: 2 });
  const path = data
    .flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join("");
  return (
    <svg className="tc-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  );
}
