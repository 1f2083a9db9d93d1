// What a role lets a person do on the labeling page. Pure.

export interface Rights {
  readonly role: string;
  /** Draw, comment, take tasks. */
  readonly label: boolean;
  /** Decide on others' work, change classes and offsets. */
  readonly review: boolean;
  /** Restore and delete the whole set. */
  readonly manage: boolean;
}

const ROLES = ["viewer", "labeler", "reviewer", "manager", "owner"];

/** The rights of a role; one that is not known may look. */
export function rightsOf(role: string): Rights {
  const rank = ROLES.indexOf(role);
  return { role, label: rank >= 1, review: rank >= 2, manage: rank >= 3 };
}

/** What is said when somebody changed this person's role. */
export function roleSaid({ role, label }: Rights): string {
  return label ? `Your role here is ${role} now.` : "Your role here is viewer now: you can look, not draw.";
}
