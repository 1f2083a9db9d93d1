// Imagery of another server: paste an address, see what lies there, add it.
import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";
import { post } from "../ui/api";
import { Button, Checkbox, EmptyState, ErrorNote, Select, TextInput } from "../ui/components";
import { plural } from "../ui/format";
import { CandidateCard } from "./candidate-card";
import { candidateOf, candidatesOf, firstChoice, requestOf, seen } from "./remote";
import type { Candidate, Found, ItemAsset, RemoteItem, RemoteRaster } from "./remote";
import type { Layer } from "./types";

export interface RemoteConfig {
  /** Servers and buckets that may be asked. */
  hosts: string[];
  setting: string;
}

interface UrlPanelProps {
  config: RemoteConfig;
  projects: { id: string; name: string }[];
  project: string;
  onProject: (id: string) => void;
}

/** Add imagery by its address. */
export function UrlPanel({ config, projects, project, onProject }: UrlPanelProps): JSX.Element {
  const [url, setUrl] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [item, setItem] = useState<RemoteItem | null>(null);
  const [chosen, setChosen] = useState<string[]>([]);
  const [rows, setRows] = useState<Candidate[]>([]);

  const put = useCallback((key: string, change: Partial<Candidate>): void => {
    setRows((all) => all.map((row) => (row.key === key ? { ...row, ...change } : row)));
  }, []);

  const lookAt = async (row: Candidate): Promise<void> => {
    put(row.key, { phase: "looking", error: null });
    try {
      const raster = await post<RemoteRaster>("/api/imagery/remote/look", { project, url: row.url });
      setRows((all) => all.map((other) => (other.key === row.key ? seen(other, raster) : other)));
    } catch (failure) {
      put(row.key, { phase: "unseen", error: failure });
    }
  };

  const look = async (): Promise<void> => {
    const asked = url.trim();
    setBusy(true);
    setError(null);
    setItem(null);
    setRows([]);
    setChosen([]);
    try {
      const found = await post<Found>("/api/imagery/remote/look", { project, url: asked });
      if (found.kind === "raster") {
        const row = candidateOf(found, asked);
        setRows([row]);
        setChosen([row.key]);
      } else {
        const all = candidatesOf(found, asked);
        const first = firstChoice(found);
        setItem(found);
        setRows(all);
        setChosen(first);
        for (const row of all.filter(({ key }) => first.includes(key))) void lookAt(row);
      }
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  const choose = (key: string, on: boolean): void => {
    setChosen((keys) => (on ? [...keys, key] : keys.filter((other) => other !== key)));
    const row = rows.find((other) => other.key === key);
    if (on && row?.phase === "unseen") void lookAt(row);
  };

  const add = async (row: Candidate): Promise<void> => {
    put(row.key, { phase: "adding", error: null });
    try {
      const made = await post<Layer | { job: string }>("/api/imagery/remote", requestOf(row, project));
      if ("id" in made) put(row.key, { phase: "done", open: made.url });
      else if (made.job) put(row.key, { phase: "copying", job: made.job });
    } catch (failure) {
      put(row.key, { phase: "new", error: failure });
    }
  };

  if (config.hosts.length === 0) {
    return (
      <EmptyState title="This site reads no files of other servers">
        An administrator names the servers that it may ask, in the setting {config.setting}. Until then, download the file and upload it.
      </EmptyState>
    );
  }
  const ready = rows.filter((row) => chosen.includes(row.key) && row.phase === "new");
  return (
    <div class="stack">
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <div class="form-grid">
          <Select label="Project" value={project} options={projects.map((row) => ({ value: row.id, label: row.name }))} onChange={onProject} disabled={busy} />
        </div>
        <div class="url-row">
          <TextInput
            label="Address of a COG or a STAC item"
            value={url}
            onChange={setUrl}
            maxLength={2000}
            required
            placeholder={`${(config.hosts[0] ?? "").replace("*.", "")}/scene.tif`}
            hint={`This site may ask ${config.hosts.join(", ")}.`}
          />
          <Button kind="primary" type="submit" busy={busy} disabled={url.trim() === ""}>
            Look
          </Button>
        </div>
      </form>
      {error !== null && <ErrorNote error={error} />}
      {item && <Assets item={item} chosen={chosen} onChoose={choose} />}
      {ready.length > 1 && (
        <div class="actions">
          <Button kind="primary" onClick={() => ready.forEach((row) => void add(row))}>
            Add {plural(ready.length, "layer")}
          </Button>
        </div>
      )}
      <ul class="upload-list" aria-label="Found">
        {rows
          .filter((row) => chosen.includes(row.key))
          .map((row) => (
            <CandidateCard key={row.key} candidate={row} put={put} onAdd={() => void add(row)} onLook={() => void lookAt(row)} />
          ))}
      </ul>
    </div>
  );
}

function Assets(props: { item: RemoteItem; chosen: string[]; onChoose: (key: string, on: boolean) => void }): JSX.Element {
  const { item } = props;
  return (
    <section class="card" aria-labelledby="item-title">
      <h2 id="item-title">{item.title}</h2>
      <p class="muted">{[item.datetime.replace("T", " ").replace(/:\d\d(\.\d+)?Z$/, " UTC"), item.attribution].filter(Boolean).join(" · ")}</p>
      <ul class="asset-list" aria-label="Files of the item">
        {item.assets.map((asset) => (
          <li key={asset.key}>
            <Checkbox
              label={<AssetLabel asset={asset} />}
              checked={props.chosen.includes(asset.key)}
              disabled={asset.problem !== null}
              onChange={(on) => props.onChoose(asset.key, on)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function AssetLabel({ asset }: { asset: ItemAsset }): JSX.Element {
  const told = [asset.title && asset.title !== asset.key ? asset.key : "", asset.bands.join(", ")].filter(Boolean).join(" · ");
  return (
    <>
      {asset.title || asset.key} {told && <span class="muted">{told}</span>}
      {asset.problem && <span class="asset-problem">{asset.problem.message}</span>}
    </>
  );
}
