/**
 * Every value of a header as it came; Node would silently drop a second Authorization or Host.
 * @param rawHeaders names and values in turn
 * @param name       in lower case
 */
export function headerValues({ rawHeaders }: { readonly rawHeaders: readonly string[] }, name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]!;
    if (header.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[at + 1]!);
  }
  return values;
}
