import { type HTMLInputTypeAttribute, type ReactNode, useId } from "react";
import "./section.css";

interface FieldProps {
  readonly label: ReactNode;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** What is wrong with the value: the limit and the fix. */
  readonly error?: string | undefined;
}

export interface TextFieldProps extends FieldProps {
  /** @default "text" */
  readonly type?: HTMLInputTypeAttribute;
  readonly inputMode?: "text" | "numeric" | "decimal";
  readonly placeholder?: string;
  readonly maxLength?: number;
}

/** A labelled line to type in; it lives among the rows of a Section. */
export function TextField({ label, value, onChange, error, type = "text", ...native }: TextFieldProps) {
  const errorId = useId();
  return (
    <label className="field">
      <span>{label}</span>
      <input
        {...native}
        type={type}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : errorId}
        autoComplete="off"
      />
      {error !== undefined && <small id={errorId}>{error}</small>}
    </label>
  );
}

export interface SelectFieldProps extends FieldProps {
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

/** A labelled choice; the device's own picker opens. */
export function SelectField({ label, value, onChange, error, options }: SelectFieldProps) {
  const errorId = useId();
  return (
    <label className="field">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : errorId}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {error !== undefined && <small id={errorId}>{error}</small>}
    </label>
  );
}
