import type { FoundKey } from '../core/store.ts'
import type { BunAnswer } from '../http/bun-answer.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { noteUse } from './account.ts'
import { sessionIdOf } from './address.ts'
import { reachable } from './reach.ts'
import type { Gateway } from './turn.ts'

/** GET: where an older client hears what belongs to no call of its own. */
export async function openStream(
  gateway: Gateway,
  req: BunRequest,
  res: BunAnswer,
  key: FoundKey,
  slug: string | null,
): Promise<void> {
  const { sessions, streams, watch } = gateway
  const session = sessions.find(sessionIdOf(req), key, slug)
  if (slug !== null) await reachable(gateway, key, slug)
  const hold = watch.open(key)
  const end = () => void res.end()
  const used = () => noteUse(gateway, req, key, session)
  hold.addEventListener('abort', end)
  streams.add(hold)
  res.onClose(() => {
    streams.delete(hold)
    hold.close()
    used()
  })
  session.openStream(res)
  used()
}
