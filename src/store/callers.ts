import type { Kysely } from 'kysely'
import { NOT_IN_USE } from '../core/activity.ts'
import type { Callers } from '../core/store.ts'
import type { ActivityTables } from './tables.ts'

/** So many lines are read at once: a key that is called all day must not hold up its own calls. */
const SLICE = 5_000
const MOST_NAMED = 20

/** From the newest line back to the first that is too old, as lines are written in the order of time. */
export async function callersOf(
  db: Kysely<ActivityTables>,
  workspaceId: string,
  keyId: string,
  since: Date,
): Promise<Callers> {
  const clients = new Map<string, number>()
  const addresses = new Map<string, number>()
  let calls = 0
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const groups = await groupsBefore(before)
    let read = 0
    for (const group of groups) {
      read += Number(group.lines)
      before = Math.min(before, group.oldest)
      calls += Number(group.calls)
      add(clients, group.client ?? 'unnamed', Number(group.calls))
      add(addresses, group.ip, Number(group.calls))
    }
    if (read < SLICE) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    calls,
    clients: most(clients).map(([name, calls]) => ({ name, calls })),
    addresses: most(addresses).map(([ip, calls]) => ({ ip, calls })),
  }

  function groupsBefore(id: number) {
    const slice = db
      .selectFrom('call')
      .select(['id', 'workspace_id', 'at', 'outcome', 'client', 'ip'])
      .where('key_id', '=', keyId)
      .where('id', '<', id)
      .orderBy('id', 'desc')
      .limit(SLICE)
    return db
      .selectFrom(slice.as('slice'))
      .where('workspace_id', '=', workspaceId)
      .where('at', '>=', since.getTime())
      .groupBy(['client', 'ip'])
      .select(({ fn }) => [
        'client',
        'ip',
        fn.countAll().as('lines'),
        fn.countAll().filterWhere('outcome', 'not in', NOT_IN_USE).as('calls'),
        fn.min('id').as('oldest'),
      ])
      .execute()
  }
}

function add(counts: Map<string, number>, name: string, more: number): void {
  if (more > 0) counts.set(name, (counts.get(name) ?? 0) + more)
}

function most(counts: Map<string, number>): [string, number][] {
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_NAMED)
}
