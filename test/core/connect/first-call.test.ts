import { expect, it } from 'vitest'
import type { ActivityLine } from '../../../src/core/activity.ts'
import { firstCallOf } from '../../../src/core/connect/first-call.ts'
import { CODES } from '../../../src/core/refusal.ts'
import { start } from '../../support/start.ts'

async function world() {
  const app = await start()
  const { key } = await app.key()
  const since = app.ctx.now()
  const line = (outcome: ActivityLine['outcome']): ActivityLine => ({
    ...{ workspaceId: app.workspace.id, at: app.ctx.now(), requestId: 'r', keyId: key.id, mcp: null, tool: null },
    ...{ method: 'initialize', environment: 'live', status: 200, latencyMs: 1, upstreamMs: null },
    ...{ ip: '203.0.113.7', client: 'codex 1', outcome },
  })
  return {
    app,
    came: (outcome: ActivityLine['outcome']) => app.ctx.store.activity.write([line(outcome)]),
    state: () => firstCallOf(app.ctx, key, since),
    stateSince: (at: Date) => firstCallOf(app.ctx, key, at),
  }
}

it('waits, and after a minute says what to look at', async () => {
  const { app, state } = await world()
  expect(await state()).toEqual({ state: 'waiting' })
  app.advance(60_000)
  expect(await state()).toEqual({ state: 'quiet' })
})

const THROUGH = ['ok', 'tool_error', 'upstream_error'] as const
const NO_NEWS = ['bad_request', 'not_found', 'cancelled', 'unsupported_media_type'] as const

it('is green once somebody is through, whatever the tool made of it, and at no other outcome', async () => {
  const { app, came, stateSince } = await world()
  const after = async (outcome: ActivityLine['outcome']) => {
    app.advance(1000)
    const since = app.ctx.now()
    await came(outcome)
    return stateSince(since)
  }
  for (const outcome of THROUGH) expect(await after(outcome)).toEqual({ state: 'green', client: 'codex 1' })
  for (const outcome of NO_NEWS) expect(await after(outcome)).toEqual({ state: 'waiting' })
  const others = CODES.filter((code) => !(NO_NEWS as readonly string[]).includes(code))
  for (const outcome of others)
    expect(await after(outcome)).toMatchObject({ state: 'refused', outcome, mend: expect.stringMatching(/\.$/) })
})

it('tells what was refused and how to mend it, until somebody is through', async () => {
  const { came, state } = await world()
  await came('ip_not_allowed')
  expect(await state()).toMatchObject({
    state: 'refused',
    outcome: 'ip_not_allowed',
    ip: '203.0.113.7',
    mend: expect.stringContaining('addresses'),
  })
  await came('insufficient_scope')
  expect(await state()).toMatchObject({ outcome: expect.any(String) })
  await came('ok')
  expect(await state()).toMatchObject({ state: 'green' })
})

it('is not moved by what clients try on their way, nor by calls of before', async () => {
  const { app, came, state, stateSince } = await world()
  await came('bad_request')
  await came('cancelled')
  expect(await state()).toEqual({ state: 'waiting' })
  await came('ok')
  app.advance(1000)
  expect(await stateSince(app.ctx.now())).toEqual({ state: 'waiting' })
})
