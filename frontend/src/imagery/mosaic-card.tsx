// A mosaic's scenes on its page: seen by all, changed by those who may.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { patch } from "../ui/api";
import { Button, Checkbox, ErrorNote, Icon, toast } from "../ui/components";
import { plural } from "../ui/format";
import { RULE_TEXT, sameList, withMore } from "./mosaic";
import type { Mosaic } from "./mosaic";
import { RuleSelect } from "./mosaic-page";
import { ScenePicker } from "./mosaic-picker";
import { SceneList } from "./mosaic-scenes";

/** The list and the rule; what is changed is sent at once with "Save". */
export function MosaicCard(props: {
  layer: string;
  project: string;
  mosaic: Mosaic;
  mayEdit: boolean;
  onSaved: (mosaic: Mosaic) => void;
  onPoint: (id: string | null) => void;
  outlined: boolean;
  onOutlined: (shown: boolean) => void;
}): JSX.Element {
  const { mosaic } = props;
  const [scenes, setScenes] = useState(mosaic.scenes);
  const [rule, setRule] = useState(mosaic.rule);
  const [picking, setPicking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const changed = rule !== mosaic.rule || !sameList(scenes, mosaic.scenes);
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const body = { ...(rule === mosaic.rule ? {} : { rule }), ...(sameList(scenes, mosaic.scenes) ? {} : { scenes: scenes.map((one) => one.id) }) };
      const saved = await patch<Mosaic>(`/api/imagery/${props.layer}/mosaic`, body);
      setScenes(saved.scenes);
      toast("The mosaic is put together anew.", "ok");
      props.onSaved(saved);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <section class="card" aria-labelledby="scenes-title">
      <div class="page-head">
        <h2 id="scenes-title">{plural(scenes.length, "scene")}</h2>
        <div class="actions">
          <Button small kind="quiet" href={mosaic.mosaicjson} title="The list for TiTiler and others">
            <Icon name="download" /> MosaicJSON
          </Button>
          {props.mayEdit && (
            <Button small onClick={() => setPicking(true)}>
              <Icon name="add" /> Add scenes
            </Button>
          )}
        </div>
      </div>
      <div class="stack">
        {props.mayEdit ? (
          <RuleSelect rule={rule} onChange={setRule} />
        ) : (
          <p class="muted">Where scenes overlap: {RULE_TEXT[mosaic.rule].label.toLowerCase()}.</p>
        )}
        <Checkbox label="Outlines on the map" checked={props.outlined} onChange={props.onOutlined} />
        <SceneList scenes={scenes} onChange={props.mayEdit ? setScenes : undefined} onPoint={props.onPoint} />
        {error !== null && <ErrorNote error={error} />}
        {changed && (
          <div class="row">
            <Button kind="primary" busy={busy} disabled={scenes.length === 0} onClick={() => void save()}>
              Save the list
            </Button>
            <Button
              onClick={() => {
                setScenes(mosaic.scenes);
                setRule(mosaic.rule);
                setError(null);
              }}
            >
              Undo
            </Button>
            {scenes.length === 0 && <span class="muted">A mosaic needs a scene.</span>}
          </div>
        )}
      </div>
      {picking && (
        <ScenePicker
          project={props.project}
          taken={scenes}
          onClose={() => setPicking(false)}
          onAdd={(more) => {
            setScenes(withMore(scenes, more));
            setPicking(false);
          }}
        />
      )}
    </section>
  );
}
