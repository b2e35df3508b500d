import { keyOf } from '../core/keys/changing.ts'
import { issue } from '../core/keys/issuing.ts'
import { edit, removeKey } from '../core/keys/lifecycle.ts'
import { checkKey, listKeys as list, readKey } from '../core/keys/reading.ts'
import { shown } from '../core/keys/shown.ts'
import type { KeyWithUse } from '../core/store.ts'
import { openCursor, sealCursor } from '../http/cursor.ts'
import { deleteQuery, keyChangeBody, keyQuery, newKeyBody, verifyBody } from '../http/key-bodies.ts'
import { IssuedKey, Key, KeyVerdict } from '../http/key-schemas.ts'
import { listOf } from '../http/schemas.ts'
import type { Door } from './door.ts'
import { type Answer, type Asked, endpoint } from './operation.ts'

export const listKeys = endpoint(
  {
    id: 'listKeys',
    summary: 'List keys',
    about:
      'Those of the environment of the calling key, the newest first unless told otherwise. A cursor belongs to its order.',
    power: 'keys.see',
    query: keyQuery,
    answer: { status: 200, about: 'A page of keys.', schema: listOf(Key) },
  },
  async ({ ctx }, { caller, workspaceId, query }) => {
    const { status: state, limit, cursor, ...fitting } = query
    const where = `keys ${workspaceId} ${query.sort} ${query.order ?? ''}`
    const page = { limit, cursor: cursor === undefined ? null : openCursor(ctx.secrets, where, cursor) }
    const { items, nextCursor } = await list(ctx, caller, { workspaceId, state, ...fitting }, page)
    return {
      body: {
        data: items.map((key) => shown(key, ctx.now())),
        next_cursor: nextCursor && sealCursor(ctx.secrets, where, nextCursor),
      },
    }
  },
)

export const createKey = endpoint(
  {
    id: 'createKey',
    summary: 'Issue a key',
    about:
      'The full key is in this answer alone: only its hash is kept. What is left out is inherited from the calling key, and nothing can reach further than it does: environment, scopes, MCPs, tools, addresses, life, rate, quota.',
    power: 'keys.issue',
    body: newKeyBody,
    example: { name: 'laptop', mcp_access: { mode: 'selected', mcps: [{ slug: 'docs' }] }, expires_at: '90d' },
    creates: true,
    answer: { status: 201, about: 'The key, with its full text this once.', schema: IssuedKey, tagged: true },
    refusals: ['conflict'],
  },
  async ({ ctx }, { caller, workspaceId, body }) => {
    const { key, fullKey } = await issue(ctx, caller, workspaceId, body)
    return {
      ...answer(key, shown(key, ctx.now())),
      location: `/api/v1/keys/${key.id}`,
      once: {
        members: { key: fullKey.reveal() },
        note: 'The full key was in the first answer alone and is not kept. If it did not arrive, revoke this key and issue another.',
      },
    }
  },
)

export const getKey = endpoint(
  {
    id: 'getKey',
    summary: 'Read a key',
    power: 'keys.see',
    answer: { status: 200, about: 'The key.', schema: Key, tagged: true },
  },
  async ({ ctx }, { caller, workspaceId, id }) => {
    const key = await readKey(ctx, caller, workspaceId, id)
    return answer(key, shown(key, ctx.now()))
  },
)

export const changeKey = endpoint(
  {
    id: 'changeKey',
    summary: 'Change a key',
    about: 'Only what is named is changed. It holds from the next request on.',
    power: 'keys.issue',
    body: keyChangeBody,
    example: { name: 'old laptop', rate_limit_per_minute: 60 },
    changes: true,
    answer: { status: 200, about: 'The key as it is now.', schema: Key, tagged: true },
    refusals: ['conflict'],
  },
  async (door, asked) => {
    await edit(door.ctx, asked.caller, asked.workspaceId, asked.id, asked.body, asked.seen)
    return keyAsItIsNow(door, asked)
  },
)

export const deleteKey = endpoint(
  {
    id: 'deleteKey',
    summary: 'Delete a key',
    about: 'Gone for good; its audit and usage stay. To stop a key that is in use, revoke it.',
    power: 'keys.issue',
    query: deleteQuery,
    changes: true,
    answer: { status: 204, about: 'It is gone.' },
    refusals: ['recently_used'],
  },
  async ({ ctx }, { caller, workspaceId, id, query, seen }) => {
    await removeKey(ctx, caller, workspaceId, id, { confirmed: query.confirm === 'recent_use', seen })
    return { body: null }
  },
)

export const verifyKey = endpoint(
  {
    id: 'verifyKey',
    summary: 'Check a key of a customer',
    about:
      'Says whether a key of this workspace is good, and whether it may do what is named beside it. A key from elsewhere is judged like one that never was.',
    power: 'keys.see',
    body: verifyBody,
    example: { key: 'clv_live_…', mcp: 'docs', tool: 'search' },
    answer: { status: 200, about: 'What was found. A bad key is an answer, not an error.', schema: KeyVerdict },
  },
  async ({ ctx, ring }, { caller, workspaceId, body: { key: fullKey, ...use } }) => {
    const { code, key } = await checkKey(ctx, ring, caller, workspaceId, fullKey, use)
    return { body: { valid: code === 'ok', code, key: key && shown(key, ctx.now()) } }
  },
)

/** Read again after a change: its last use belongs to what is shown. */
export async function keyAsItIsNow(
  { ctx }: Pick<Door, 'ctx'>,
  { caller, workspaceId, id }: Pick<Asked<unknown, unknown>, 'caller' | 'workspaceId' | 'id'>,
): Promise<Answer> {
  const key = await keyOf(ctx, caller, workspaceId, id)
  return answer(key, shown(key, ctx.now()))
}

function answer({ revision }: Pick<KeyWithUse, 'revision'>, body: object): Answer {
  return { body, revision }
}
