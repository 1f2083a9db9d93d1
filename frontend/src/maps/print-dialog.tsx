// Print: paper, title, legend; a PNG or a PDF.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Button, Checkbox, Dialog, ErrorNote, Select, TextInput, toast } from "../ui/components";
import { saveFile } from "../ui/save-file";
import { pdfOf } from "./pdf";
import { printed } from "./print";
import type { PrintSource } from "./print";

const PAPERS: Record<string, readonly [number, number]> = { A4: [297, 210], A3: [420, 297], A2: [594, 420], Letter: [279.4, 215.9] };

function blobOf(canvas: HTMLCanvasElement, type: string): Promise<Blob> {
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("The page is too large for this browser."))), type, 0.92));
}

/** The dialog. */
export function PrintDialog({ source, onClose }: { source: () => PrintSource | null; onClose: () => void }): JSX.Element {
  const [title, setTitle] = useState(() => source()?.map.name ?? "");
  const [paper, setPaper] = useState("A4");
  const [upright, setUpright] = useState(false);
  const [legend, setLegend] = useState(true);
  const [busy, setBusy] = useState<"png" | "pdf" | null>(null);
  const [error, setError] = useState<unknown>(null);
  const print = async (form: "png" | "pdf"): Promise<void> => {
    const from = source();
    if (!from) return;
    setBusy(form);
    setError(null);
    const [long, short] = PAPERS[paper] ?? [297, 210];
    const [width_mm, height_mm] = upright ? [short, long] : [long, short];
    try {
      const { canvas, missing } = await printed(from, { title: title.trim(), width_mm, height_mm, legend });
      const name = `${(title.trim() || "map").replace(/[\\/:*?"<>|]+/g, "-")}.${form}`;
      if (form === "png") saveFile(await blobOf(canvas, "image/png"), name);
      else {
        const jpeg = new Uint8Array(await (await blobOf(canvas, "image/jpeg")).arrayBuffer());
        const file = pdfOf({ jpeg, width_px: canvas.width, height_px: canvas.height, width_mm, height_mm, title: title.trim() });
        saveFile(new Blob([file], { type: "application/pdf" }), name);
      }
      toast(missing ? `Printed without ${missing}.` : `${name} is made.`, missing ? "warn" : "ok");
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(null);
    }
  };
  return (
    <Dialog
      title="Print"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Done</Button>
          <Button busy={busy === "png"} disabled={busy !== null} onClick={() => void print("png")}>
            Make a PNG
          </Button>
          <Button kind="primary" busy={busy === "pdf"} disabled={busy !== null} onClick={() => void print("pdf")}>
            Make a PDF
          </Button>
        </>
      }
    >
      <TextInput label="Title" value={title} onChange={setTitle} maxLength={200} autofocus />
      <div class="pair">
        <Select label="Paper" value={paper} options={Object.keys(PAPERS).map((value) => ({ value, label: value }))} onChange={setPaper} />
        <Select
          label="Turned"
          value={upright ? "upright" : "wide"}
          options={[
            { value: "wide", label: "Wide" },
            { value: "upright", label: "Upright" },
          ]}
          onChange={(value) => setUpright(value === "upright")}
        />
      </div>
      <Checkbox label="Legend" checked={legend} onChange={setLegend} />
      <p class="muted small-text">What the map shows now, at 150 dots an inch, with scale bar, north arrow and attribution.</p>
      {error !== null && <ErrorNote error={error} />}
    </Dialog>
  );
}
