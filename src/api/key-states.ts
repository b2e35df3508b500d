import { disable, enable, revoke } from '../core/keys/lifecycle.ts'
import { revokeBody } from '../http/key-bodies.ts'
import { Key } from '../http/key-schemas.ts'
import { noBody } from '../http/schemas.ts'
import { keyAsItIsNow } from './keys.ts'
import { endpoint } from './operation.ts'

const CHANGED = { status: 200, about: 'The key as it is now.', schema: Key, tagged: true } as const

export const disableKey = endpoint(
  {
    id: 'disableKey',
    summary: 'Disable a key',
    about: 'Its very next request is refused. Can be undone.',
    power: 'keys.issue',
    body: noBody,
    bodyIsOptional: true,
    changes: true,
    answer: CHANGED,
    refusals: ['conflict'],
  },
  async (door, asked) => {
    await disable(door.ctx, asked.caller, asked.workspaceId, asked.id, asked.seen)
    return keyAsItIsNow(door, asked)
  },
)

export const enableKey = endpoint(
  {
    id: 'enableKey',
    summary: 'Enable a key',
    power: 'keys.issue',
    body: noBody,
    bodyIsOptional: true,
    changes: true,
    answer: CHANGED,
    refusals: ['conflict'],
  },
  async (door, asked) => {
    await enable(door.ctx, asked.caller, asked.workspaceId, asked.id, asked.seen)
    return keyAsItIsNow(door, asked)
  },
)

export const revokeKey = endpoint(
  {
    id: 'revokeKey',
    summary: 'Revoke a key',
    about:
      'Its very next request is refused, for good. It stays listed. Whoever holds a key may revoke it: with its own id in the address.',
    power: 'keys.issue',
    itself: true,
    body: revokeBody,
    bodyIsOptional: true,
    example: { reason: 'laptop lost' },
    changes: true,
    answer: CHANGED,
  },
  async (door, asked) => {
    await revoke(door.ctx, asked.caller, asked.workspaceId, asked.id, asked.body.reason ?? null, asked.seen)
    return keyAsItIsNow(door, asked)
  },
)
