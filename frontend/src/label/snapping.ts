// Snapping: a drawn point goes to a corner or an edge of another sample that is near.

import type { SamplesLayer } from "./layer";
import type { Place } from "./pointer";
import type { Host } from "./host";
import type { Id, Position } from "./types";

const SNAP_PX = 10;

export class Snapping {
  /** Where the next point snaps to, for showing. */
  at: Position | null = null;

  constructor(
    private readonly host: Pick<Host, "snapping">,
    private readonly layer: SamplesLayer,
  ) {}

  /** The place of a pointer, snapped unless a key held says no. */
  of({ world, free }: Place, except: Id | null): Position {
    return this.ofWorld(world, !free, except);
  }

  ofWorld(world: Position, wanted: boolean, except: Id | null): Position {
    this.at = this.host.snapping && wanted ? this.layer.snap(world, SNAP_PX, except) : null;
    return this.at ?? world;
  }

  end(): void {
    this.at = null;
  }
}
