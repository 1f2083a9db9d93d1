// One set of photos: the list, the map, a photo to look at, and placing by hand.
import type { JSX } from "preact";
import { useCallback, useState } from "preact/hooks";
import { asApiError, del, get, patch, post } from "../ui/api";
import { Badge, Button, ConfirmDialog, EmptyState, Icon, Menu, toast } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { number, plural } from "../ui/format";
import { directionText, takenText } from "../ui/photo";
import type { PhotoJson } from "../ui/photo";
import { PhotoViewer } from "../ui/photo-viewer";
import { PhotoDrop } from "./drop";
import { PlaceMap } from "./place-map";
import type { PhotoSet, SetConfig } from "./types";

type Ask = { photo: PhotoJson } | "set" | null;

/** The page. */
export function SetPage({ config }: { config: SetConfig }): JSX.Element {
  const [set, setSet] = useState(config.set);
  const [shown, setShown] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [placing, setPlacing] = useState<string | null>(null);
  const [asked, setAsked] = useState<Ask>(null);
  const url = `/api/photo-sets/${set.id}/`;
  const reload = useCallback(() => {
    get<PhotoSet>(url)
      .then(setSet)
      .catch((error: unknown) => toast(asApiError(error).message, "bad"));
  }, [url]);
  const waiting = set.photos.find((photo) => photo.id === placing);
  const open = set.photos.find((photo) => photo.id === shown);

  const place = async (lon: number, lat: number): Promise<void> => {
    if (!waiting) return;
    setPlacing(null);
    try {
      const placed = await patch<PhotoJson>(`/api/photos/${waiting.id}/`, { lon, lat });
      setSet((now) => ({ ...now, photos: now.photos.map((photo) => (photo.id === placed.id ? placed : photo)) }));
      toast(`${waiting.name} is on the map.`, "ok");
    } catch (error) {
      toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad");
    }
  };
  const makeMap = async (): Promise<void> => {
    try {
      const made = await post<{ url: string }>("/api/maps/", { project: set.project, name: set.name, layers: [{ kind: "features", id: set.id }] });
      window.location.assign(made.url);
    } catch (error) {
      toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad");
    }
  };
  const placed = set.photos.filter((photo) => photo.place).length;

  return (
    <div class="stack">
      <div class="page-head">
        <div>
          <h1 class="break-anywhere">{set.name}</h1>
          <p class="muted">
            {plural(set.photo_count, "photo")}, {placed} on the map
            {set.photo_count > set.photos.length && `; the first ${number(set.photos.length)} are listed`}
          </p>
        </div>
        <div class="actions">
          {config.may_edit && placed > 0 && (
            <Button onClick={() => void makeMap()}>
              <Icon name="map" /> Make a map
            </Button>
          )}
          {config.may_manage && <Menu end label="More" items={[{ label: "Delete the set", icon: "trash", danger: true, onSelect: () => setAsked("set") }]} />}
        </div>
      </div>
      {config.may_edit && <PhotoDrop set={set.id} mostBytes={config.most_bytes} onRead={reload} />}
      {set.photos.length === 0 ? (
        <EmptyState title="No photos yet">Photos of a drone or a phone hold the place where they were taken. Others are placed by hand.</EmptyState>
      ) : (
        <div class="photo-columns">
          <div class="photo-side">
            {waiting && (
              <p class="note" role="status">
                Click on the map where <strong class="break-anywhere">{waiting.name}</strong> was taken.{" "}
                <Button small onClick={() => setPlacing(null)}>
                  Cancel
                </Button>
              </p>
            )}
            <PlaceMap photos={set.photos} bounds={set.bounds} chosen={chosen} placing={waiting !== undefined} onChoose={(photo) => setChosen(photo.id)} onPlace={(lon, lat) => void place(lon, lat)} />
          </div>
          <ul class="photo-list" aria-label="Photos">
            {set.photos.map((photo) => (
              <PhotoCard
                key={photo.id}
                photo={photo}
                chosen={photo.id === chosen}
                mayEdit={config.may_edit}
                onOpen={() => {
                  setChosen(photo.id);
                  setShown(photo.id);
                }}
                onPlace={() => {
                  setChosen(photo.id);
                  setPlacing(photo.id);
                }}
                onDelete={() => setAsked({ photo })}
              />
            ))}
          </ul>
        </div>
      )}
      {open && <PhotoViewer photo={open} onClose={() => setShown(null)} />}
      {asked === "set" && (
        <DeleteDialog
          what="set of photos"
          name={set.name}
          consequencesUrl={`/api/layers/${set.id}/deletion`}
          onClose={() => setAsked(null)}
          onDelete={async () => {
            await del(`/api/layers/${set.id}/`);
            window.location.assign(`/?project=${set.project}`);
          }}
        />
      )}
      {asked !== null && asked !== "set" && (
        <ConfirmDialog
          title={`Delete ${asked.photo.name}?`}
          confirmLabel="Delete photo"
          danger
          onConfirm={async () => {
            await del(`/api/photos/${asked.photo.id}/`);
            reload();
          }}
          onClose={() => setAsked(null)}
        >
          It leaves this set and all maps with it.
        </ConfirmDialog>
      )}
    </div>
  );
}

function PhotoCard(props: { photo: PhotoJson; chosen: boolean; mayEdit: boolean; onOpen: () => void; onPlace: () => void; onDelete: () => void }): JSX.Element {
  const { photo } = props;
  const facts = [photo.taken_at ? takenText(photo.taken_at) : "", photo.direction_deg === null ? "" : directionText(photo.direction_deg), photo.height_m === null ? "" : `${number(photo.height_m)} m up`];
  return (
    <li class={props.chosen ? "photo-card chosen" : "photo-card"}>
      <button type="button" class="photo-thumbnail" onClick={props.onOpen} aria-label={`Look at ${photo.name}`}>
        <img src={photo.thumbnail} alt="" loading="lazy" />
      </button>
      <div class="photo-words">
        <div class="row photo-name">
          <strong class="truncate" title={photo.name}>
            {photo.name}
          </strong>
          {!photo.place && <Badge tone="warn">no place</Badge>}
          <span class="spacer" />
          {props.mayEdit && (
            <Menu
              end
              small
              label={`More about ${photo.name}`}
              items={[
                { label: photo.place ? "Move on the map" : "Place on the map", icon: "point", onSelect: props.onPlace },
                { label: "Delete", icon: "trash", danger: true, onSelect: props.onDelete },
              ]}
            />
          )}
        </div>
        <p class="muted small-text">{facts.filter(Boolean).join(" · ") || "Its camera says nothing more."}</p>
        {!photo.place && photo.notes.length > 0 && <p class="small-text photo-why">{photo.notes[0]}</p>}
        {!photo.place && props.mayEdit && (
          <Button small onClick={props.onPlace}>
            <Icon name="point" /> Place on the map
          </Button>
        )}
      </div>
    </li>
  );
}
