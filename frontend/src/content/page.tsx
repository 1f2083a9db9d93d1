// The content page: everything of one's projects, and where to begin.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Badge, Button, EmptyState, ErrorNote, Icon, IconButton, Select, Table, Tabs } from "../ui/components";
import type { Column } from "../ui/components";
import { ago, date } from "../ui/format";
import { DemoCard } from "./demo";
import { NewMap, NewProject } from "./dialogs";
import { formatFilter, KIND_TEXT, KINDS, parseFilter } from "./list";
import type { Filter, Item } from "./list";

export interface Project {
  id: string;
  name: string;
  role: string;
}

export interface ContentConfig {
  projects: Project[];
  /** Of the demo, where it is loaded and the reader may run it: names of scenes whose place on Earth is assumed. */
  demo: { assumed: string[] } | null;
}

interface Answer {
  results: Item[];
  next: string | null;
}

type Loaded = { filter: string; items: Item[]; next: string | null } | { filter: string; error: unknown };

const COLUMNS: readonly Column<Item>[] = [
  {
    key: "name",
    label: "Name",
    render: (item) => (
      <div class="content-name">
        <Icon name={KIND_TEXT[item.kind].icon} />
        <div>
          <div class="row">
            <a href={item.url}>{item.name}</a>
            {item.building && <Badge tone="accent">growing</Badge>}
          </div>
          {item.detail && <div class="muted small-text">{item.detail}</div>}
        </div>
      </div>
    ),
  },
  { key: "kind", label: "Kind", hideNarrow: true, render: (item) => <span class="nowrap">{KIND_TEXT[item.kind].one}</span> },
  {
    key: "project",
    label: "Project",
    hideNarrow: true,
    render: (item) => (
      <a class="plain" href={`/projects/${item.project.id}/`}>
        {item.project.name}
      </a>
    ),
  },
  { key: "owner", label: "Owner", hideNarrow: true, render: (item) => item.owner ?? "–" },
  {
    key: "modified",
    label: "Modified",
    width: "120px",
    render: (item) => (
      <time class="muted nowrap" dateTime={item.modified} title={date(item.modified)}>
        {ago(item.modified)}
      </time>
    ),
  },
];

/** The list for a filter; asks again when the filter changes, and for more on demand. */
function useContent(filter: Filter): { loaded: Loaded | null; more: () => Promise<void>; again: () => void } {
  const query = formatFilter(filter);
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    get<Answer>(`/api/content/${query}`, { signal: stop.signal })
      .then((answer) => setLoaded({ filter: query, items: answer.results, next: answer.next }))
      .catch((error: unknown) => {
        if (!stop.signal.aborted) setLoaded({ filter: query, error });
      });
    return () => stop.abort();
  }, [query, round]);
  const more = async (): Promise<void> => {
    if (loaded === null || "error" in loaded || loaded.next === null) return;
    const answer = await get<Answer>(loaded.next);
    setLoaded({ ...loaded, items: [...loaded.items, ...answer.results], next: answer.next });
  };
  return { loaded, more, again: () => setRound(round + 1) };
}

function Nothing(props: { filter: Filter; projects: Project[]; upload: string; onNew: () => void; onClear: () => void }): JSX.Element {
  const { filter, projects } = props;
  if (projects.length === 0) {
    return (
      <EmptyState title="Start with a project" actions={<Button kind="primary" onClick={props.onNew}>New project</Button>}>
        A project holds a team's imagery, labels, models and maps, and says who may do what.
      </EmptyState>
    );
  }
  if (filter.q !== "") {
    return (
      <EmptyState title={`Nothing found for “${filter.q}”`} actions={<Button onClick={props.onClear}>Show everything</Button>}>
        The search looks at names of content and projects.
      </EmptyState>
    );
  }
  if (filter.kind !== "" && filter.kind !== "imagery") {
    return (
      <EmptyState title={`No ${KIND_TEXT[filter.kind].many.toLowerCase()} yet`} actions={<Button onClick={props.onClear}>Show everything</Button>}>
        {NEXT_STEP[filter.kind]}
      </EmptyState>
    );
  }
  return (
    <EmptyState
      title="No imagery yet"
      actions={
        <Button kind="primary" href={props.upload}>
          <Icon name="upload" /> Upload imagery
        </Button>
      }
    >
      Upload a GeoTIFF, or a picture with a world file. Then draw labels on it, train a model, and run it on the whole scene.
    </EmptyState>
  );
}

const NEXT_STEP: Record<Exclude<Filter["kind"], "" | "imagery">, string> = {
  map: "Make one with New map, or open imagery and choose Add to a map. Running a model also makes a map.",
  photos: "Choose Add photos, and drop JPEG photos there.",
  label_set: "Open imagery and start a label set on it.",
  training_data: "Open a label set and export training data from it.",
  run: "Open training data and train a model on it.",
  model: "Train on training data, or install a package on the Models page.",
  inference: "Open a model and run it on imagery.",
};

/** Show a search in the header's field, which stands outside this page's tree. */
function writeSearch(q: string): void {
  const field = document.querySelector<HTMLInputElement>(".site-search input");
  if (field) field.value = q;
}

/** The page. */
export function ContentPage({ projects, demo: loadedDemo }: ContentConfig): JSX.Element {
  const [filter, setFilter] = useState<Filter>(() => parseFilter(window.location.search));
  const [asking, setAsking] = useState<"project" | "map" | null>(null);
  const [demo, setDemo] = useState(() => localStorage.getItem("hide-demo") === null);
  const { loaded, more, again } = useContent(filter);
  const change = (part: Partial<Filter>): void => {
    const next = { ...filter, ...part };
    if (formatFilter(next) === formatFilter(filter)) return;
    setFilter(next);
    history.pushState(null, "", `/${formatFilter(next)}`);
    writeSearch(next.q);
  };
  useEffect(() => {
    const back = (): void => {
      const there = parseFilter(window.location.search);
      setFilter(there);
      writeSearch(there.q);
    };
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  const clear = (): void => change({ q: "", kind: "", project: "" });
  const own = projects.filter((item) => item.role !== "viewer");
  const project = filter.project || own[0]?.id;
  const upload = project ? `/imagery/upload?project=${project}` : "/imagery/upload";
  const showDemo = (shown: boolean): void => {
    if (shown) localStorage.removeItem("hide-demo");
    else localStorage.setItem("hide-demo", "1");
    setDemo(shown);
  };
  const narrowed = formatFilter(filter) !== "";
  const stale = loaded !== null && loaded.filter !== formatFilter(filter);
  return (
    <>
      <div class="page-head">
        <h1>{filter.q ? `Results for “${filter.q}”` : "Content"}</h1>
        {filter.q && <IconButton label="Clear the search" icon="close" onClick={() => change({ q: "" })} />}
        <div class="actions">
          {filter.project !== "" && (
            <Button kind="quiet" href={`/projects/${filter.project}/`}>
              Members and settings
            </Button>
          )}
          {loadedDemo && !demo && !narrowed && (
            <Button kind="quiet" onClick={() => showDemo(true)}>
              <Icon name="play" /> Demo
            </Button>
          )}
          <Button onClick={() => setAsking("project")}>
            <Icon name="add" /> New project
          </Button>
          {filter.kind === "imagery" && projects.length > 0 && (
            <Button href={upload.replace("/imagery/upload", "/mosaics/new")}>
              <Icon name="layers" /> New mosaic
            </Button>
          )}
          {own.length > 0 && (filter.kind === "" || filter.kind === "map") && (
            <Button onClick={() => setAsking("map")}>
              <Icon name="map" /> New map
            </Button>
          )}
          {["imagery", "photos"].includes(filter.kind) && projects.length > 0 && (
            <Button href={project ? `/photos/new?project=${project}` : "/photos/new"}>
              <Icon name="camera" /> Add photos
            </Button>
          )}
          {projects.length > 0 && (
            <Button kind="primary" href={upload}>
              <Icon name="upload" /> Upload imagery
            </Button>
          )}
        </div>
      </div>
      {loadedDemo && demo && !narrowed && (
        <DemoCard assumed={loadedDemo.assumed} onHide={() => showDemo(false)} onDone={again} />
      )}
      <div class="content-filter">
        <Tabs
          label="Kind of content"
          tabs={[{ id: "", label: "All" }, ...KINDS.map((kind) => ({ id: kind, label: KIND_TEXT[kind].many }))]}
          selected={filter.kind}
          onSelect={(id) => change({ kind: parseFilter(`?kind=${id}`).kind })}
        />
        {projects.length > 1 && (
          <Select
            label="Project"
            quiet
            value={filter.project}
            options={[{ value: "", label: "All projects" }, ...projects.map((item) => ({ value: item.id, label: item.name }))]}
            onChange={(value) => change({ project: value })}
          />
        )}
      </div>
      {filter.kind === "map" && (
        <p class="muted small-text">
          Maps that anybody may open are listed on the page of <a href="/maps/">public maps</a>.
        </p>
      )}
      {loaded === null && <p class="loading">Loading content…</p>}
      {loaded && "error" in loaded && <ErrorNote error={loaded.error} retry={again} />}
      {loaded && "items" in loaded && (
        <div class={stale ? "stale" : undefined} aria-busy={stale}>
          {loaded.items.length === 0 ? (
            <Nothing filter={filter} projects={projects} upload={upload} onNew={() => setAsking("project")} onClear={clear} />
          ) : (
            <Table label="Content" columns={COLUMNS} rows={loaded.items} rowKey={(item) => `${item.kind} ${item.id}`} />
          )}
          {loaded.next !== null && (
            <p class="more">
              <Button onClick={() => void more()}>Show more</Button>
            </p>
          )}
        </div>
      )}
      {asking === "project" && <NewProject onClose={() => setAsking(null)} />}
      {asking === "map" && <NewMap projects={own} project={filter.project} onClose={() => setAsking(null)} />}
    </>
  );
}
