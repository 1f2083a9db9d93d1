// A PDF of one page that is one picture (PDF 1.4, ISO 32000-1). Text is part of the picture, so every script prints.

const POINTS_PER_MM = 72 / 25.4;

export interface PdfPage {
  /** A JPEG file. */
  jpeg: Uint8Array;
  width_px: number;
  height_px: number;
  width_mm: number;
  height_mm: number;
  title: string;
}

function hex(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index).toString(16).padStart(4, "0"));
  return `<feff${units.join("")}>`;
}

/** Return the file. */
export function pdfOf(page: PdfPage): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const [width, height] = [page.width_mm, page.height_mm].map((mm) => (mm * POINTS_PER_MM).toFixed(2));
  const drawing = `q ${width} 0 0 ${height} 0 0 cm /Map Do Q`;
  const image = `<< /Type /XObject /Subtype /Image /Width ${page.width_px} /Height ${page.height_px} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length ${page.jpeg.length} >>\nstream\n`;
  const objects: (string | Uint8Array)[][] = [
    ["<< /Type /Catalog /Pages 2 0 R >>"],
    ["<< /Type /Pages /Kids [3 0 R] /Count 1 >>"],
    [`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Resources << /XObject << /Map 5 0 R >> >> /Contents 4 0 R >>`],
    [`<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`],
    [image, page.jpeg, "\nendstream"],
    [`<< /Title ${hex(page.title)} /Producer (Quadrat) >>`],
  ];
  const parts: Uint8Array[] = [];
  let length = 0;
  const put = (part: string | Uint8Array): void => {
    const bytes = typeof part === "string" ? encoder.encode(part) : part;
    parts.push(bytes);
    length += bytes.length;
  };
  put("%PDF-1.4\n");
  const starts = objects.map((object, index) => {
    const start = length;
    put(`${index + 1} 0 obj\n`);
    object.forEach(put);
    put("\nendobj\n");
    return start;
  });
  const table = length;
  put(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`);
  for (const start of starts) put(`${String(start).padStart(10, "0")} 00000 n \n`);
  put(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 6 0 R >>\nstartxref\n${table}\n%%EOF\n`);
  const file = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
