import { finishRotation, rotate } from '../core/keys/rotation.ts'
import { rotateBody } from '../http/key-bodies.ts'
import { IssuedKey, Key } from '../http/key-schemas.ts'
import { noBody } from '../http/schemas.ts'
import { keyAsItIsNow } from './keys.ts'
import { endpoint } from './operation.ts'

export const rotateKey = endpoint(
  {
    id: 'rotateKey',
    summary: 'Rotate a key',
    about:
      'A new secret for the same key; everything else stays. Both secrets work until the overlap ends, and `rotation` says when the older one was last used. `finish-rotation` ends the overlap sooner; until it is over, rotating again is refused.',
    power: 'keys.issue',
    body: rotateBody,
    bodyIsOptional: true,
    example: { overlap_seconds: 3600 },
    creates: true,
    changes: true,
    answer: { status: 201, about: 'The key, with its new full text this once.', schema: IssuedKey, tagged: true },
    refusals: ['conflict'],
  },
  async ({ ctx }, { caller, workspaceId, id, body, seen }) => {
    const { fullKey } = await rotate(ctx, caller, workspaceId, id, body.overlapSeconds ?? undefined, seen)
    const { body: now, revision } = await keyAsItIsNow({ ctx }, { caller, workspaceId, id })
    return {
      body: now,
      revision,
      location: `/api/v1/keys/${id}`,
      once: {
        members: { key: fullKey.reveal() },
        note: 'The full key was in the first answer alone and is not kept. If it did not arrive, finish this rotation, which ends the older secret too, and rotate again.',
      },
    }
  },
)

export const finishKeyRotation = endpoint(
  {
    id: 'finishKeyRotation',
    summary: 'Finish a rotation',
    about: 'The older secret is refused from the next request on. Without an overlap nothing changes.',
    power: 'keys.issue',
    body: noBody,
    bodyIsOptional: true,
    changes: true,
    answer: { status: 200, about: 'The key as it is now.', schema: Key, tagged: true },
  },
  async (door, asked) => {
    await finishRotation(door.ctx, asked.caller, asked.workspaceId, asked.id, asked.seen)
    return keyAsItIsNow(door, asked)
  },
)
