import type { ReactNode } from "react";
import "./notice.css";
import { Icon, type IconName } from "./icon.tsx";

export interface NoticeProps {
  /** @default "plain" */
  readonly tone?: "plain" | "good" | "warn" | "danger";
  /** @default by tone */
  readonly icon?: IconName;
  readonly title?: ReactNode;
  readonly children?: ReactNode;
  /** Buttons below the words. */
  readonly actions?: ReactNode;
  /** `alert` interrupts a screen reader; for refusals only. */
  readonly role?: "alert" | "status";
}

const icons = { plain: "spark", good: "shield", warn: "alert", danger: "alert" } as const;

/** A few words that matter now. */
export function Notice({ tone = "plain", icon, title, children, actions, role }: NoticeProps) {
  return (
    <div className="notice" data-tone={tone} role={role}>
      <Icon name={icon ?? icons[tone]} />
      <div>
        {title !== undefined && <strong>{title}</strong>}
        {children}
        {actions !== undefined && <div className="notice-actions">{actions}</div>}
      </div>
    </div>
  );
}
