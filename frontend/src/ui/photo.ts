// A photo as the API tells it.

export interface PhotoJson {
  id: string;
  name: string;
  width: number;
  height: number;
  /** Longitude, latitude; null where nobody has placed it yet. */
  place: [number, number] | null;
  altitude_m: number | null;
  /** Above the place where the drone took off. */
  height_m: number | null;
  /** Where the camera looked, clockwise from north. */
  direction_deg: number | null;
  /** Below the horizon where negative. */
  pitch_deg: number | null;
  /** ISO 8601; without an offset it is the camera's own clock. */
  taken_at: string | null;
  camera: string | null;
  lens: string | null;
  focal_mm: number | null;
  focal_35mm: number | null;
  exposure_s: number | null;
  f_number: number | null;
  iso: number | null;
  /** What was found broken in the file. */
  notes: string[];
  picture: string;
  thumbnail: string;
}

const WINDS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

/** "124°, south-east". */
export function directionText(degrees: number): string {
  const whole = ((Math.round(degrees) % 360) + 360) % 360;
  return `${whole}°, ${WINDS[Math.round(whole / 45) % 8]}`;
}

/** "41° down", "level", "12° up". */
export function pitchText(degrees: number): string {
  const whole = Math.round(Math.abs(degrees));
  if (whole === 0) return "level";
  return `${whole}° ${degrees < 0 ? "down" : "up"}`;
}

/** The camera's date and time as they stand in the file; a clock without an offset is not turned into another zone's. */
export function takenText(moment: string): string {
  const [day = "", rest = ""] = moment.split("T");
  const [, clock = "", zone = ""] = /^(\d\d:\d\d)(?::\d\d)?(.*)$/.exec(rest) ?? [];
  return `${day} ${clock}${zone === "" ? "" : zone === "+00:00" ? " UTC" : ` UTC${zone}`}`.trim();
}

/** "4.7 mm (26 mm), f/2.2, 1/123 s, ISO 100". */
export function exposureText(photo: PhotoJson): string {
  const { focal_mm: focal, focal_35mm: focal35, f_number: stop, exposure_s: exposure, iso } = photo;
  const small = focal35 === null || focal35 === focal ? "" : ` (${Math.round(focal35)} mm)`;
  return [
    focal === null ? "" : `${Number(focal.toFixed(1))} mm${small}`,
    stop === null ? "" : `f/${Number(stop.toFixed(1))}`,
    exposure === null ? "" : exposure < 0.5 ? `1/${Math.round(1 / exposure)} s` : `${Number(exposure.toFixed(1))} s`,
    iso === null ? "" : `ISO ${iso}`,
  ]
    .filter(Boolean)
    .join(", ");
}
