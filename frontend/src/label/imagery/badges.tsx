// What has to be known of the imagery while drawing: where it is shown, and the other date.

import type { JSX } from "preact";
import { Icon, IconButton } from "../../ui/components";
import { SwipeHandle } from "../../ui/swipe";
import { dayOf } from "./dates";
import { saidOf } from "./offset";
import type { Imagery } from "./state";
import { useImagery } from "./use-imagery";

export interface BadgesProps {
  readonly imagery: Imagery;
  readonly positionAssumed: string | null;
  readonly onOpen: () => void;
}

export function Badges({ imagery, positionAssumed, onOpen }: BadgesProps): JSX.Element {
  const { second, choice, flicking } = useImagery(imagery);
  const said = saidOf(imagery.drawnOffset(imagery.own.id));
  const name = second && (dayOf(second) || second.name);
  const hold = (held: boolean) => (): void => void imagery.flick(held);
  return (
    <div class="label-badges">
      {second && (
        <div class="label-second" role="group" aria-label="The other date">
          <button
            type="button" class="label-hold" aria-pressed={flicking} title="Hold it, or the U key"
            onPointerDown={hold(true)} onPointerUp={hold(false)} onPointerLeave={hold(false)} onPointerCancel={hold(false)}
            onKeyDown={(event) => (event.key === " " || event.key === "Enter") && imagery.flick(true)} onKeyUp={hold(false)} onBlur={hold(false)}
          >
            <span class="truncate">Hold for {name}</span>
          </button>
          <IconButton icon="swipe" label={choice.swipe ? "Show one date (Shift U)" : "Part the map between both dates (Shift U)"} small pressed={choice.swipe} onClick={() => imagery.choose({ swipe: !choice.swipe })} />
        </div>
      )}
      {said && (
        <button type="button" class="label-badge accent" title={imagery.offsetOf(imagery.own.id).note || "The imagery is shown beside where its file says."} onClick={onOpen}>
          <Icon name="extent" /> Offset {said}
        </button>
      )}
      {positionAssumed !== null && (
        <button type="button" class="label-badge" title={positionAssumed} onClick={onOpen}>
          <Icon name="warn" /> Position on Earth is assumed
        </button>
      )}
    </div>
  );
}

/** The divider between the two dates. */
export function Divider({ imagery }: { imagery: Imagery }): JSX.Element | null {
  const { second, choice, flicking } = useImagery(imagery);
  if (!second || !choice.swipe || flicking) return null;
  return <SwipeHandle at={choice.at} label={`Swipe between ${imagery.own.name} and ${second.name}`} onChange={(at) => imagery.choose({ at })} />;
}
