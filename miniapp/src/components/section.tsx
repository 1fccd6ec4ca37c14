import type { ReactNode } from "react";
import "./section.css";
import { Icon, type IconName } from "./icon.tsx";

/** A titled card of rows, as Telegram's settings have it. */
export function Section({
  title,
  footer,
  children,
}: {
  title?: ReactNode;
  /** One quiet sentence below the card. */
  footer?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="section">
      {title !== undefined && <h2>{title}</h2>}
      <div className="rows">{children}</div>
      {footer !== undefined && <p className="footer">{footer}</p>}
    </section>
  );
}

export interface RowProps {
  readonly icon?: IconName;
  readonly title: ReactNode;
  /** A quiet second line. */
  readonly detail?: ReactNode;
  /** At the end of the line. */
  readonly value?: ReactNode;
  readonly tone?: "good" | "warn" | "danger";
  /** Makes the row a button. */
  readonly onClick?: () => void;
  readonly disabled?: boolean;
  /** The row leads somewhere: a chevron at its end. */
  readonly leads?: boolean;
  /** One of several, and chosen. */
  readonly selected?: boolean;
}

export function Row({ icon, title, detail, value, tone, onClick, disabled, leads, selected }: RowProps) {
  const content = (
    <>
      {icon && <Icon name={icon} />}
      <span className="row-text">
        <span>{title}</span>
        {detail !== undefined && <small>{detail}</small>}
      </span>
      {value !== undefined && <span className="row-value">{value}</span>}
      {selected === true && <Icon name="check" />}
      {leads && <Icon name="chevron" size={16} />}
    </>
  );
  if (!onClick) {
    return (
      <div className="row" data-tone={tone}>
        {content}
      </div>
    );
  }
  return (
    <button
      type="button"
      className="row"
      data-tone={tone}
      onClick={onClick}
      disabled={disabled}
      aria-pressed={selected}
    >
      {content}
    </button>
  );
}
