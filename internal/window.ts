/**
 * Maps with at most `limit` calls under way, results in the order of the items. More under
 * way than WebCrypto has threads saves the hand-over between them; without a bound, memory
 * would grow with the input.
 */
export async function mapWindow<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  async function worker(): Promise<void> {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
