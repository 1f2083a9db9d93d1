// The page that makes a mosaic: which scenes, in which order, by which rule.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asApiError, post } from "../ui/api";
import { Button, EmptyState, ErrorNote, Icon, Select, TextInput } from "../ui/components";
import { plural } from "../ui/format";
import { createMap } from "../ui/map";
import { Footprints } from "./footprints";
import { RULE_TEXT, RULES, withMore } from "./mosaic";
import type { Rule, Scene } from "./mosaic";
import { ScenePicker } from "./mosaic-picker";
import { SceneList } from "./mosaic-scenes";

export interface MosaicConfig {
  projects: { id: string; name: string }[];
  project: string;
  rules: Rule[];
  /** To begin with. */
  scenes: Scene[];
}

/** Make a mosaic. */
export function MosaicPage({ config }: { config: MosaicConfig }): JSX.Element {
  const first = config.projects.find((row) => row.id === config.project) ?? config.projects[0];
  const [project, setProject] = useState(first?.id ?? "");
  const [name, setName] = useState("");
  const [rule, setRule] = useState<Rule>("newest");
  const [scenes, setScenes] = useState<Scene[]>(config.scenes);
  const [picking, setPicking] = useState(false);
  const [lit, setLit] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const send = async (body: Record<string, unknown>): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const made = await post<{ url: string }>("/api/mosaics/", { project, ...body });
      window.location.assign(made.url);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  if (!first) {
    return (
      <EmptyState title="You may not add imagery to any project" actions={<Button href="/">Content</Button>}>
        A mosaic is made of a project’s scenes. Ask its manager to make you a labeler or more.
      </EmptyState>
    );
  }
  return (
    <div class="stack imagery-page">
      <div class="page-head">
        <h1>New mosaic</h1>
        <div class="actions">
          <FromFile busy={busy} onRead={(text) => void send({ mosaicjson: text, ...(name.trim() ? { name } : {}) })} />
          <Button
            kind="primary"
            busy={busy}
            disabled={name.trim() === "" || scenes.length === 0}
            onClick={() => void send({ name, rule, scenes: scenes.map((scene) => scene.id) })}
          >
            Create mosaic
          </Button>
        </div>
      </div>
      <p class="muted">Scenes of one project, read as one imagery layer. They may differ in CRS, resolution and type; their bands must be the same.</p>
      {error !== null && <Refused error={error} />}
      <div class="imagery-columns mosaic-columns">
        <div class="stack">
          <TextInput label="Name" value={name} onChange={setName} maxLength={200} required />
          <div class="form-grid">
            {config.projects.length > 1 && (
              <Select
                label="Project"
                value={project}
                options={config.projects.map((row) => ({ value: row.id, label: row.name }))}
                onChange={(next) => {
                  setProject(next);
                  setScenes([]);
                }}
              />
            )}
            <RuleSelect rule={rule} onChange={setRule} />
          </div>
          <section class="card" aria-labelledby="scenes-title">
            <div class="page-head">
              <h2 id="scenes-title">{scenes.length === 0 ? "Scenes" : plural(scenes.length, "scene")}</h2>
              <div class="actions">
                <Button small onClick={() => setPicking(true)}>
                  <Icon name="add" /> Add scenes
                </Button>
              </div>
            </div>
            {scenes.length === 0 ? (
              <p class="muted">Add the scenes that belong together. The first lies on top.</p>
            ) : (
              <SceneList scenes={scenes} onChange={setScenes} onPoint={setLit} />
            )}
          </section>
        </div>
        <OutlineMap scenes={scenes} lit={lit} />
      </div>
      {picking && (
        <ScenePicker
          project={project}
          taken={scenes}
          onClose={() => setPicking(false)}
          onAdd={(more) => {
            setScenes(withMore(scenes, more));
            setPicking(false);
          }}
        />
      )}
    </div>
  );
}

/** Which scene is seen where several lie. */
export function RuleSelect(props: { rule: Rule; onChange: (rule: Rule) => void; disabled?: boolean }): JSX.Element {
  return (
    <Select
      label="Where scenes overlap"
      value={props.rule}
      hint={RULE_TEXT[props.rule].hint}
      disabled={props.disabled}
      options={RULES.map((rule) => ({ value: rule, label: RULE_TEXT[rule].label }))}
      onChange={(value) => props.onChange(RULES.find((rule) => rule === value) ?? "newest")}
    />
  );
}

function FromFile({ busy, onRead }: { busy: boolean; onRead: (text: string) => void }): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={field}
        class="visually-hidden"
        type="file"
        accept=".json,application/json"
        aria-label="MosaicJSON file"
        tabIndex={-1}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) void file.text().then(onRead);
        }}
      />
      <Button busy={busy} onClick={() => field.current?.click()} title="Scenes and order from a MosaicJSON file">
        <Icon name="upload" /> From MosaicJSON
      </Button>
    </>
  );
}

function Refused({ error }: { error: unknown }): JSX.Element {
  const { details } = asApiError(error);
  const assets = Array.isArray(details["assets"]) ? (details["assets"] as string[]) : [];
  return (
    <>
      <ErrorNote error={error} />
      {assets.length > 1 && (
        <ul class="plain-list small-text break-anywhere" aria-label="Unknown assets">
          {assets.map((asset) => (
            <li key={asset}>{asset}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function OutlineMap({ scenes, lit }: { scenes: readonly Scene[]; lit: string | null }): JSX.Element {
  const holder = useRef<HTMLDivElement>(null);
  const shownRef = useRef<Footprints | null>(null);
  useEffect(() => {
    if (!holder.current) return undefined;
    const map = createMap(holder.current);
    shownRef.current = new Footprints(map);
    return () => {
      shownRef.current = null;
      map.remove();
    };
  }, []);
  useEffect(() => {
    shownRef.current?.show(scenes);
    shownRef.current?.fit(scenes);
  }, [scenes]);
  useEffect(() => shownRef.current?.light(lit), [lit, scenes]);
  return <div class="imagery-map" ref={holder} aria-label="Map of the scenes’ outlines" role="region" />;
}
