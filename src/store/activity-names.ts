import type Database from 'better-sqlite3'

/** Texts that line after line has in common. Each is kept once: the file is half as large, and written a third faster. */
export const NAMES = `
  create table if not exists name (
    id integer primary key autoincrement, -- a line whose text is gone must never show another's
    text text not null unique,
    day integer not null -- of the newest line that has it, since 1970
  ) strict;
`

export type Names = {
  /** Once the batch has locked the file: what others have written or swept meanwhile is looked up anew. */
  begin(): void
  /** The number of a text that a line of this moment has. */
  idOf(text: string, at: number): number
  /** Some of the names may be gone: with a batch that was undone, or swept. */
  forget(): void
}

/** As many as may be looked up without asking the file. */
const MOST_KNOWN = 10_000

export function namesIn(connection: Database.Database): Names {
  const keep = connection
    .prepare<[string, number], number>(
      'insert into name (text, day) values (?, ?) on conflict do update set day = max(day, excluded.day) returning id',
    )
    .pluck()
  const version = connection.prepare<[], number>('pragma data_version').pluck() // which our own writing does not move
  let seen: number | undefined
  /** All of one day, so that each text is given every day on which a line has it. */
  let known = new Map<string, number>()
  let today = 0

  return {
    begin() {
      const now = version.get()
      if (now !== seen) known = new Map()
      seen = now
    },
    idOf(text, at) {
      const day = dayOf(at)
      if (day !== today || known.size >= MOST_KNOWN) known = new Map()
      today = day
      let id = known.get(text)
      if (id === undefined) {
        id = keep.get(text, day)!
        known.set(text, id)
      }
      return id
    },
    forget() {
      known = new Map()
    },
  }
}

const DAY_MS = 86_400_000

export function dayOf(at: number): number {
  return Math.floor(at / DAY_MS)
}
