/** The name that was probably meant: the one fewest letters away, whatever their case. */
export function nearest(given: string, names: readonly string[]): string {
  const far = (name: string) => distance(given.toLowerCase(), name.toLowerCase())
  return names.reduce((best, name) => (far(name) < far(best) ? name : best))
}

/** Levenshtein's: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}
