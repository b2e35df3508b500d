import { importKey } from '../core/keys/importing.ts'
import { shown } from '../core/keys/shown.ts'
import { importBody } from '../http/key-bodies.ts'
import { Key } from '../http/key-schemas.ts'
import { endpoint } from './operation.ts'

export const importOneKey = endpoint(
  {
    id: 'importKey',
    summary: 'Import a key from another system',
    about:
      'Its holders go on using it as it is. Send the SHA-256 of the full key, never the key itself. It takes the role of an admin, and the key is bounded like one that is issued here.',
    power: 'keys.all',
    body: importBody,
    example: {
      name: 'laptop',
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      hint: 'tp_a1b2…9z',
    },
    creates: true,
    answer: { status: 201, about: 'The key. Its full text is known to its holders alone.', schema: Key, tagged: true },
    refusals: ['conflict'],
  },
  async ({ ctx }, { caller, workspaceId, body }) => {
    const key = await importKey(ctx, caller, workspaceId, body)
    return { body: shown(key, ctx.now()), revision: key.revision, location: `/api/v1/keys/${key.id}` }
  },
)
