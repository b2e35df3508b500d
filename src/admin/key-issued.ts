import type { Key } from '../core/keys/key.ts'
import type { Secret } from '../core/secret.ts'
import { showPiece } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { originOf } from './origin.ts'

type Issued = {
  key: Key
  fullKey: Secret
  may: string[]
  mayNot: string[]
  /** The secret before this one, and until when it works, if it does. */
  old?: { endsAt: Date | null }
}

/** The only answer that ever carries a full key: to the form that made it, kept by nobody. */
export function showIssued(door: Door, visit: Inside, { fullKey, ...issued }: Issued): void {
  const secret = fullKey.reveal()
  const data = { ...issued, fullKey: secret, snippets: firstCalls(originOf(door, visit), secret) }
  showPiece(door, visit, 'keys/issued-panel', 'keys/issued', data)
}

function firstCalls(origin: string, fullKey: string): { label: string; text: string }[] {
  return [
    {
      label: 'Claude Code',
      text: `claude mcp add --transport http claviger ${origin}/mcp --header "Authorization: Bearer ${fullKey}"`,
    },
    { label: 'Ask who the key is', text: `curl -H "Authorization: Bearer ${fullKey}" ${origin}/api/v1/whoami` },
  ]
}
