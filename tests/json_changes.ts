/** What takes the place of a member; undefined leaves it out. */
const OTHERS: readonly unknown[] = [undefined, null, "", 7, true, [], {}, [7], { x: 7 }];

/** A copy of a JSON value in which one place is another. */
export interface Change {
  /** The whole. */
  value: unknown;
  /** JSON Pointer of the place; names have no `/` and no `~`. */
  place: string;
  /** What was there. */
  was: unknown;
  /** What is there now; undefined: it is left out. */
  is: unknown;
}

/** Copies of a JSON value with one member, however deep, left out or of another type. */
export function* changesOf(value: unknown): Generator<unknown> {
  for (const change of placedChangesOf(value)) yield change.value;
}

/** The same, with the place that differs. */
export function* placedChangesOf(value: unknown): Generator<Change> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, was] of Object.entries(value)) {
    for (const is of OTHERS) {
      if (Array.isArray(value) && is === undefined) continue;
      yield { value: replaced(value, name, is), place: `/${name}`, was, is };
    }
    for (const inner of placedChangesOf(was)) {
      yield {
        ...inner,
        value: replaced(value, name, inner.value),
        place: `/${name}${inner.place}`,
      };
    }
  }
}

function replaced(value: object, name: string, member: unknown): unknown {
  if (Array.isArray(value)) return value.with(Number(name), member);
  const { [name]: _, ...rest } = value as Record<string, unknown>;
  return member === undefined ? rest : { ...rest, [name]: member };
}
