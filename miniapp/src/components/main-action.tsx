import { useEffect, useRef, useSyncExternalStore } from "react";
import { useTelegram } from "../telegram/telegram-context.ts";
import { Button, type ButtonProps } from "./button.tsx";

/**
 * The one thing to do on a screen: Telegram's own main button, where the client draws one, else a button in the
 * page. A client that has never said a word is not trusted to draw anything.
 */
export function MainAction({
  text,
  icon,
  disabled = false,
  busy = false,
  onPress,
}: {
  text: string;
  icon?: ButtonProps["icon"];
  disabled?: boolean;
  busy?: boolean;
  onPress: () => void;
}) {
  const telegram = useTelegram();
  const press = useRef(onPress);
  press.current = onPress;
  const native = useSyncExternalStore(telegram?.onTalk ?? never, () => telegram?.talks() === true);
  useEffect(() => {
    if (!native) return undefined;
    return telegram?.showMain({ text, disabled, busy }, () => press.current());
  }, [native, telegram, text, disabled, busy]);
  if (native) return null;
  return (
    <Button wide disabled={disabled} busy={busy} onClick={onPress} {...(icon && { icon })}>
      {text}
    </Button>
  );
}

const never = () => () => undefined;
