/** `; did you mean …?` for a word that is close to one of the known ones, or nothing. */
export function suggestion(word: string, known: readonly string[], prefix = ""): string {
  let best: string | undefined;
  // Half the word may be wrong, but no more than three letters.
  let least = Math.min(3, Math.ceil(word.length / 2)) + 1;
  for (const name of known) {
    const distance = word.length > 2 && name.startsWith(word) ? 1 : editDistance(word, name, least);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best === undefined ? "" : `; did you mean ${prefix}${best}?`;
}

/** Letters to insert, delete, replace or exchange with the next; `limit` when there are more. */
export function editDistance(a: string, b: string, limit = Infinity): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 64) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    before = previous;
    previous = row;
  }
  return previous[b.length];
}
