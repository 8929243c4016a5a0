/** What takes the place of a member; undefined leaves it out. */
const OTHERS: readonly unknown[] = [undefined, null, "", 7, true, [], {}, [7], { x: 7 }];

/** Copies of a JSON value with one member, however deep, left out or of another type. */
export function* changesOf(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    for (const other of OTHERS) {
      if (Array.isArray(value) && other === undefined) continue;
      yield replaced(value, name, other);
    }
    for (const inner of changesOf(member)) yield replaced(value, name, inner);
  }
}

function replaced(value: object, name: string, member: unknown): unknown {
  if (Array.isArray(value)) return value.with(Number(name), member);
  const { [name]: _, ...rest } = value as Record<string, unknown>;
  return member === undefined ? rest : { ...rest, [name]: member };
}
