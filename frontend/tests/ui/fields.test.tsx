import { render } from "preact";
import { expect, it, vi } from "vitest";
import { stepFor, TextInput } from "../../src/ui/fields";

it("lets fractions lie between the steps of the arrow keys, and whole numbers not", () => {
  expect(stepFor(0.35, 0.05, 0)).toBe(0.05);
  expect(stepFor(0.36, 0.05, 0)).toBe("any");
  expect(stepFor(0.3, 0.1, 0)).toBe(0.1);
  expect(stepFor(2.5, 1, 0)).toBe(1);
  expect(stepFor(null, 0.05, 0)).toBe(0.05);
  expect(stepFor(7, "any", 0)).toBe("any");
});

it("puts the cursor into several lines of text too, keeps them short, and sends them by Ctrl Enter", async () => {
  const sent = vi.fn<(event: Event) => void>((event) => event.preventDefault());
  const place = document.createElement("div");
  document.body.append(place);
  render(<form onSubmit={sent}><TextInput label="Note" value="" rows={3} autofocus maxLength={20} onChange={() => undefined} /><button type="submit">Send</button></form>, place);
  const field = place.querySelector("textarea");
  if (!field) throw new Error("no text area");
  // A dialog moves the focus to what has the attribute when it opens.
  expect(field.hasAttribute("autofocus")).toBe(true);
  expect(field.maxLength).toBe(20);
  await vi.waitFor(() => expect(document.activeElement).toBe(field));
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
  expect(sent).not.toHaveBeenCalled();
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));
  expect(sent).toHaveBeenCalledOnce();
  // Neither while the key is held nor past a button that is off.
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, repeat: true, bubbles: true, cancelable: true }));
  place.querySelector("button")?.setAttribute("disabled", "");
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));
  expect(sent).toHaveBeenCalledOnce();
  document.body.replaceChildren();
});
