/** Target of `rel="next"` of the header Link (RFC 8288), if there is one. */
export function nextLink(header: string): string | undefined {
  for (const [, target, parameters] of header.slice(0, 8192).matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)/i.test(parameters)) return target;
  }
  return undefined;
}
