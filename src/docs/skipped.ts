export type Skipped = {
  add(path: string, why: string): void
  list: { path: string; why: string }[]
  count(): number
}

const MOST_NAMED = 100

/** What is not searchable and why; all are counted, and the first hundred named. */
export function skippedFiles(): Skipped {
  const list: { path: string; why: string }[] = []
  let count = 0
  return {
    list,
    count: () => count,
    add(path, why) {
      count++
      if (list.length < MOST_NAMED) list.push({ path: path.toWellFormed(), why })
    },
  }
}
