import type { Key } from '../core/keys/key.ts'
import type { Secret } from '../core/secret.ts'
import { showPiece } from './answer.ts'
import { connectCard } from './connect-card.ts'
import { signalFor } from './connect-signal.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'

type Issued = {
  key: Key
  fullKey: Secret
  may: string[]
  mayNot: string[]
  /** The secret before this one, and until when it works, if it does. */
  old?: { endsAt: Date | null }
}

/** The only answer that ever carries a full key: to the form that made it, kept by nobody. */
export async function showIssued(door: Door, visit: Inside, { fullKey, ...issued }: Issued): Promise<void> {
  const secret = fullKey.reveal()
  const connect = await connectCard(door, visit, {
    slug: null,
    issued: { key: issued.key, fullKey: secret },
    like: issued.key,
    at: 'issued',
  })
  // calls with the old secret are calls of this key too: after a rotation no light could tell them apart
  const signal = issued.old ? null : signalFor(door, visit, { key: issued.key })
  const data = { ...issued, fullKey: secret, connect, signal }
  showPiece(door, visit, 'keys/issued-panel', 'keys/issued', data)
}
