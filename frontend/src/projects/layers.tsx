// The project's feature layers that have no page of their own: results and imports.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ExportDialog } from "../files/export-dialog";
import type { FileClass } from "../files/types";
import { asApiError, del, get } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Badge, Button, EmptyState, ErrorNote, Spinner, Table } from "../ui/components";
import type { Column } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { date, number } from "../ui/format";

interface FeatureLayer {
  id: string;
  name: string;
  kind: string;
  state: string;
  count: number;
  classes: FileClass[];
  created_at: string;
}

interface Page {
  results: FeatureLayer[];
  next: string | null;
}

/** All feature layers of a project but the samples of label sets, which are deleted with those. */
async function read(projectId: string): Promise<FeatureLayer[]> {
  const found: FeatureLayer[] = [];
  let url: string | null = `/api/layers/?project=${projectId}&limit=200`;
  while (url !== null) {
    const page: Page = await get<Page>(url);
    found.push(...page.results);
    url = page.next;
  }
  return found.filter((row) => row.kind !== "samples");
}

/** The section of feature layers. */
export function Layers({ projectId }: { projectId: string }): JSX.Element {
  const [rows, setRows] = useState<FeatureLayer[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [deleting, setDeleting] = useState<FeatureLayer | null>(null);
  const [exporting, setExporting] = useState<FeatureLayer | null>(null);
  const load = (): void => {
    read(projectId).then(
      (found) => {
        setRows(found);
        setError(null);
      },
      (failure: unknown) => setError(asApiError(failure)),
    );
  };
  useEffect(load, [projectId]);
  if (error) return <ErrorNote error={error} retry={load} />;
  if (rows === null) return <Spinner label="Loading layers" />;
  if (rows.length === 0) {
    return <EmptyState title="No layers yet">Objects and polygons that models find are listed here. Samples belong to their label sets.</EmptyState>;
  }
  return (
    <>
      <Table label="Feature layers" rows={rows} rowKey={(row) => row.id} columns={columns(setExporting, setDeleting)} />
      {exporting && (
        <ExportDialog
          name={exporting.name}
          classes={exporting.classes}
          exportsUrl={`/api/layers/${exporting.id}/exports`}
          hasPixels={false}
          onClose={() => setExporting(null)}
        />
      )}
      {deleting && (
        <DeleteDialog
          what="layer"
          name={deleting.name}
          consequencesUrl={`/api/layers/${deleting.id}/deletion`}
          onClose={() => setDeleting(null)}
          onDelete={async () => {
            await del(`/api/layers/${deleting.id}/`);
            setDeleting(null);
            load();
          }}
        />
      )}
    </>
  );
}

function columns(take: (row: FeatureLayer) => void, remove: (row: FeatureLayer) => void): Column<FeatureLayer>[] {
  return [
    {
      key: "name",
      label: "Layer",
      sort: (row) => row.name,
      render: (row) => (
        <span class="break-anywhere">
          {row.name} {row.state === "building" && <Badge tone="accent">growing</Badge>}
        </span>
      ),
    },
    { key: "count", label: "Features", align: "right", sort: (row) => row.count, render: (row) => number(row.count) },
    { key: "made", label: "Made", hideNarrow: true, sort: (row) => row.created_at, render: (row) => date(row.created_at) },
    {
      key: "actions",
      label: "",
      align: "right",
      render: (row) => (
        <div class="row layer-acts">
          <Button small onClick={() => take(row)}>
            Export
          </Button>
          <Button small kind="danger" onClick={() => remove(row)}>
            Delete
          </Button>
        </div>
      ),
    },
  ];
}
