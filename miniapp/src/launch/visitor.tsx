import { useEffect, useState } from "react";
import { encode } from "uqr";
import { Icon } from "../components/icon.tsx";
import { addMessages } from "../i18n/messages.ts";
import { useText } from "../i18n/use-text.ts";
import { readDeployment } from "./deployment.ts";
import en from "./en.ftl?raw";
import ru from "./ru.ftl?raw";
import "./visitor.css";

addMessages({ en, ru });

const promises = [
  ["lock", "visitor-sealed"],
  ["shield", "visitor-verified"],
  ["fingerprint", "visitor-device"],
] as const;

/** For people who open the page in a browser: what it is, and how to get to where it works. */
export function Visitor() {
  const t = useText();
  const [bot, setBot] = useState<string>();
  useEffect(() => {
    readDeployment().then(
      ({ botUsername }) => setBot(botUsername),
      () => undefined,
    );
  }, []);
  const link = bot && `https://t.me/${bot}`;
  return (
    <main className="visitor">
      <div className="visitor-card">
        <h1>Bombyx</h1>
        <p className="visitor-lead">{t("visitor-lead")}</p>
        <ul>
          {promises.map(([icon, id]) => (
            <li key={id}>
              <Icon name={icon} size={24} />
              <span>{t(id)}</span>
            </li>
          ))}
        </ul>
        {link ? (
          <>
            <QrCode text={link} label={t("visitor-qr", { link })} />
            <a className="button" data-kind="primary" href={link} rel="noreferrer">
              {t("visitor-open")}
            </a>
          </>
        ) : null}
        <p className="visitor-where">{t("visitor-where")}</p>
      </div>
    </main>
  );
}

/** Dark on white in both themes: cameras want it so. */
function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "M", border: 2 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg className="visitor-qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
