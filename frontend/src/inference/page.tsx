// The page of one inference: progress, facts, results.
import { useCallback, useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import { SuggestDialog } from "../files/suggest-dialog";
import { JobProgress } from "../jobs/JobProgress";
import { del, get } from "../ui/api";
import { Badge, Button, EmptyState, ErrorNote, Menu } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { date, duration, number, plural } from "../ui/format";
import type { Inference, PageConfig, Result } from "./types";

// While the job runs the layers appear after its start; then only counts change.
const LOOK_EVERY_MS = 3000;

export function InferencePage(config: PageConfig): JSX.Element {
  const { inference: initial, may_run: mayRun } = config;
  const [deleting, setDeleting] = useState(false);
  const [row, setRow] = useState(initial);
  const [error, setError] = useState<unknown>(null);
  const reload = useCallback((): void => {
    get<Inference>(`/api/inferences/${initial.id}/`).then((found) => {
      setRow(found);
      setError(null);
    }, setError);
  }, [initial.id]);
  const ended = row.job === null || ["succeeded", "failed", "cancelled"].includes(row.job.state);
  useEffect(() => {
    if (ended) return undefined;
    const timer = setInterval(reload, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [ended, reload]);
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{row.name}</h1>
        <Badge>{row.task === "classify_pixels" ? "Pixels" : "Objects"}</Badge>
        <div class="actions">
          {row.map && (
            <Button kind="primary" href={row.map.url}>
              Open the map
            </Button>
          )}
          {config.may_delete && (
            <Menu end label="More" items={[{ label: "Delete", icon: "trash", danger: true, onSelect: () => setDeleting(true) }]} />
          )}
        </div>
      </div>
      {error !== null && <ErrorNote error={error} retry={reload} />}
      {row.job && (
        <section class="card">
          <JobProgress jobId={row.job.id} mayCancel={mayRun} onDone={reload} />
        </section>
      )}
      <div class="inference-facts">
        <Facts row={row} />
        <Results row={row} ended={ended} mayRun={mayRun} />
      </div>
      {deleting && (
        <DeleteDialog
          what="inference"
          name={row.name}
          consequencesUrl={`/api/inferences/${row.id}/deletion`}
          onClose={() => setDeleting(false)}
          onDelete={async (options) => {
            await del(`/api/inferences/${row.id}/?results=${options.has("results") ? "delete" : "keep"}`);
            window.location.assign(`/?project=${row.project}`);
          }}
        />
      )}
    </div>
  );
}

function Facts({ row }: { row: Inference }): JSX.Element {
  const { settings } = row;
  const rate = row.job?.result["pixels_per_s"];
  return (
    <section class="card">
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Model</dt>
        <dd>
          <a href={row.package.url}>{row.package.name}</a>
        </dd>
        <dt>Imagery</dt>
        <dd>
          <a href={row.imagery.url}>{row.imagery.name}</a>
        </dd>
        <dt>Where</dt>
        <dd>{row.extent ? "Inside a drawn extent" : "The whole imagery"}</dd>
        <dt>Blocks</dt>
        <dd class="numeric">
          {number(row.blocks_done)} of {number(row.blocks_total)} stored
        </dd>
        <dt>Computing</dt>
        <dd class="numeric">
          {duration(row.seconds)}
          {typeof rate === "number" && `, ${number(rate / 1e6, 2)} Mpx/s`}
        </dd>
        <dt>{row.task === "detect_objects" ? "Score threshold" : "Minimum probability"}</dt>
        <dd class="numeric">{number(settings.threshold, 2)}</dd>
        {row.task === "detect_objects" && (
          <>
            <dt>Maximum overlap</dt>
            <dd class="numeric">{number(settings.max_overlap, 2)}</dd>
          </>
        )}
        <dt>Started</dt>
        <dd>
          {date(row.created_at)}
          {row.created_by && ` by ${row.created_by}`}
        </dd>
      </dl>
    </section>
  );
}

function Results({ row, ended, mayRun }: { row: Inference; ended: boolean; mayRun: boolean }): JSX.Element {
  const again = `/inferences/new?imagery=${row.imagery.id}&package=${row.package.id}`;
  return (
    <section class="card">
      <h2>Results</h2>
      {row.results.length === 0 ? (
        <EmptyState
          title={ended ? "No result was kept" : "Nothing yet"}
          actions={ended && mayRun ? <Button href={again}>Run it again</Button> : undefined}
        >
          {ended ? "The job did not finish, so its half-made layers were removed." : "The layers appear here and on the map when the first blocks are done."}
        </EmptyState>
      ) : (
        <ul class="inference-results">
          {row.results.map((result) => (
            <ResultRow key={result.id} result={result} mayRun={mayRun} />
          ))}
        </ul>
      )}
    </section>
  );
}

function ResultRow({ result, mayRun }: { result: Result; mayRun: boolean }): JSX.Element {
  const [suggesting, setSuggesting] = useState(false);
  const raster = result.kind === "class_raster";
  return (
    <li class="row">
      {raster ? <a href={result.url}>{result.name}</a> : <span>{result.name}</span>}
      {result.count !== undefined && <span class="muted numeric">{plural(result.count, "feature")}</span>}
      <span class="spacer" />
      {result.state === "building" ? (
        <Badge tone="accent">growing</Badge>
      ) : (
        !raster && (
          <>
            {mayRun && <Button small onClick={() => setSuggesting(true)}>Review as suggestions</Button>}
            <Button small href={result.url}>
              GeoJSON
            </Button>
          </>
        )
      )}
      {suggesting && <SuggestDialog from={{ layer: result.id }} onClose={() => setSuggesting(false)} />}
    </li>
  );
}
