import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import { listKeys } from '../core/keys/reading.ts'
import type { KeyQuery, KeyWithUse } from '../core/store.ts'

const AT_ONCE = 200

/** A terminal shows the whole list, read page by page. */
export async function* everyKey(
  ctx: Context,
  caller: Caller,
  query: Omit<KeyQuery, 'now'>,
): AsyncGenerator<KeyWithUse> {
  for (let cursor: string | null = null; ; ) {
    const page = await listKeys(ctx, caller, query, { limit: AT_ONCE, cursor })
    yield* page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}
