import type { ButtonHTMLAttributes, Ref } from "react";
import "./button.css";
import { Icon, type IconName } from "./icon.tsx";

type Native = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "className" | "style">;

export interface ButtonProps extends Native {
  /** @default "primary" */
  readonly kind?: "primary" | "plain" | "danger";
  readonly icon?: IconName;
  /** Takes the whole width. */
  readonly wide?: boolean;
  /** Shows that the work runs; the button takes no further tap until it is over. */
  readonly busy?: boolean;
}

/** A button with words on it. */
export function Button({
  kind = "primary",
  icon,
  wide = false,
  busy = false,
  children,
  ...native
}: ButtonProps) {
  return (
    <button
      type="button"
      {...native}
      className="button"
      data-kind={kind}
      data-wide={wide || undefined}
      disabled={native.disabled === true || busy}
      aria-busy={busy || undefined}
    >
      {busy ? <span className="spinner" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export interface IconButtonProps extends Native {
  readonly icon: IconName;
  /** What it does, for people who do not see the icon. */
  readonly label: string;
  /** 40 or 32 px. @default "normal" */
  readonly size?: "normal" | "small";
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A button with an icon only. */
export function IconButton({ icon, label, size = "normal", ref, ...native }: IconButtonProps) {
  return (
    <button
      type="button"
      {...native}
      ref={ref}
      className="icon-button"
      data-size={size}
      aria-label={label}
      title={label}
    >
      <Icon name={icon} />
    </button>
  );
}
