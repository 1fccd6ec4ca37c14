import { Notice } from "../components/notice.tsx";
import { Row, Section } from "../components/section.tsx";
import { Sheet } from "../components/sheet.tsx";
import { useLanguage, useText } from "../i18n/use-text.ts";
import { modelFacts } from "../models/model-facts.ts";
import type { ConnectionState } from "../network/connection.ts";
import { useConnection } from "../network/use-connection.ts";
import { useTelegram } from "../telegram/telegram-context.ts";

/** The models of the network with their size, and how a real one gets there. */
export function ModelSheet({ network, onClose }: { network: ConnectionState; onClose: () => void }) {
  const t = useText();
  const language = useLanguage();
  const connection = useConnection();
  const telegram = useTelegram();
  const number = new Intl.NumberFormat(language);
  const demo = network.models.some(({ id }) => modelFacts(id).demo);
  return (
    <Sheet title={t("models-title")} onClose={onClose}>
      {network.models.length === 0 ? (
        <Notice>{t("models-none")}</Notice>
      ) : (
        <Section>
          {network.models.map(({ id, contextTokens, nodes }) => {
            const { name, size } = modelFacts(id);
            return (
              <Row
                key={id}
                icon="cube"
                title={size === undefined || name.includes(size) ? name : `${name} · ${size}`}
                detail={`${t("models-nodes", { count: nodes })} · ${t("models-context", { tokens: number.format(contextTokens) })}`}
                selected={id === network.model}
                onClick={() => {
                  if (id !== network.model) {
                    telegram?.haptic("selection");
                    void connection.choose(id);
                  }
                  onClose();
                }}
              />
            );
          })}
        </Section>
      )}
      {demo && (
        <Notice title={t("models-demo-title")}>
          <p>{t("models-demo-text")}</p>
        </Notice>
      )}
      <Section title={t("models-real-title")}>
        <Row icon="chip" title={t("models-real-gpu")} detail={t("models-real-gpu-how")} />
        <Row
          icon="cube"
          title={t("models-real-local")}
          detail={
            <>
              {t("models-real-local-how")} <code>MODEL=file.gguf npm start</code>
            </>
          }
        />
      </Section>
    </Sheet>
  );
}
