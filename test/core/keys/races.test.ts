import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stateOf } from '../../../src/core/keys/key.ts'
import { disable, edit, enable, removeKey, revoke } from '../../../src/core/keys/lifecycle.ts'
import { keyRing } from '../../../src/core/keys/ring.ts'
import { finishRotation, rotate } from '../../../src/core/keys/rotation.ts'
import { verify } from '../../../src/core/keys/verify.ts'
import { terminal } from '../../cli/terminal.ts'
import { operator, start } from '../../support/start.ts'

const ROUNDS = 12

async function world() {
  const app = await start()
  const { ctx, workspace } = app
  const { key, fullKey } = await app.key()
  const ring = keyRing(ctx)
  const codeOf = async (secret: string) => {
    const verdict = await verify(ring, ctx.secrets, secret, ctx.now())
    return verdict.ok ? 'ok' : verdict.why
  }
  const on = [ctx, operator, workspace.id, key.id] as const
  const now = async () => (await ctx.store.keys.byId(workspace.id, key.id))!
  const actions = async () =>
    (await ctx.store.audit.list({ chain: workspace.id, subjectId: key.id }, { limit: 200, cursor: null })).items.map(
      ({ action }) => action,
    )
  return { ...app, ctx, key, fullKey, ring, codeOf, on, now, actions }
}

describe('verifiers against what ends a key', () => {
  it.each([
    ['revoke', (on: On) => revoke(...on, null), 'revoked'],
    ['disable', (on: On) => disable(...on), 'disabled'],
    ['delete', (on: On) => removeKey(...on, { confirmed: true }), 'unknown'],
    ['a rotation without overlap', (on: On) => rotate(...on, 0), 'revoked'],
  ] as const)('%s: none that begins after the answer is let in', async (_what, end, why) => {
    const { codeOf, fullKey, on } = await world()
    let answered = false
    const begunAfter: Promise<string>[] = []
    const asking = Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 100; i++) {
        const after = answered
        const code = codeOf(fullKey)
        if (after) begunAfter.push(code)
        expect(['ok', why]).toContain(await code)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    await end(on)
    answered = true
    begunAfter.push(codeOf(fullKey))
    await Promise.all(asking)
    expect(new Set(await Promise.all(begunAfter))).toEqual(new Set([why]))
  })
})

type On = Awaited<ReturnType<typeof world>>['on']

describe('changes at once', () => {
  it('revoke against rotate: the key is off, with every secret it was given', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { codeOf, fullKey, on, now, ctx } = await world()
      const acts = [() => revoke(...on, 'leaked'), () => rotate(...on, 60)]
      const outcomes = await Promise.allSettled((round % 2 ? acts : acts.toReversed()).map((act) => act()))
      const rotated = outcomes.map((one) => (one.status === 'fulfilled' && 'fullKey' in one.value ? one.value : null))
      for (const one of outcomes) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conflict' })
      expect(stateOf(await now(), ctx.now())).toBe('revoked')
      for (const secret of [fullKey, ...rotated.filter((one) => one !== null).map((one) => one.fullKey.reveal())])
        expect(await codeOf(secret)).toBe('revoked')
    }
  })

  it('disable against enable: one after the other, each told once', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { codeOf, fullKey, on, actions, now } = await world()
      const acts = [() => disable(...on), () => enable(...on)]
      await Promise.all((round % 2 ? acts : acts.toReversed()).map((act) => act()))
      const done = (await actions()).filter((action) => /abled$/.test(action))
      const off = (await now()).disabledAt !== null
      expect([['key.disabled'], ['key.enabled', 'key.disabled']]).toContainEqual(done)
      expect([off, await codeOf(fullKey)]).toEqual(done.length === 1 ? [true, 'disabled'] : [false, 'ok'])
    }
  })

  it('two rotations: one, and the other is told', async () => {
    const { codeOf, fullKey, on, actions } = await world()
    const outcomes = await Promise.allSettled([rotate(...on, 60), rotate(...on, 60), rotate(...on, 60)])
    const done = outcomes.filter((one) => one.status === 'fulfilled')
    const refused = outcomes.filter((one) => one.status === 'rejected')
    expect([done.length, refused.map(({ reason }) => reason.code)]).toEqual([1, ['conflict', 'conflict']])
    expect([await codeOf(fullKey), await codeOf(done[0]!.value.fullKey.reveal())]).toEqual(['ok', 'ok'])
    expect((await actions()).filter((action) => action === 'key.rotated')).toHaveLength(1)
  })

  it('finishing against rotating: nothing is lost, and at most two secrets work', async () => {
    const { codeOf, fullKey, on } = await world()
    const first = (await rotate(...on, 60)).fullKey.reveal()
    const [, second] = await Promise.allSettled([finishRotation(...on), rotate(...on, 60)])
    const newest = second.status === 'fulfilled' ? second.value.fullKey.reveal() : null
    expect(await codeOf(fullKey)).toBe('revoked')
    expect(await codeOf(first)).toBe('ok')
    if (newest) expect(await codeOf(newest)).toBe('ok')
  })

  it('deleting a revision that another change has overtaken is refused', async () => {
    const { on, key, now } = await world()
    const outcomes = await Promise.allSettled([
      edit(...on, { name: 'first' }, key.revision),
      removeKey(...on, { confirmed: true, seen: key.revision }),
    ])
    const done = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(done).toHaveLength(1)
    if (outcomes[0].status === 'fulfilled') expect((await now()).name).toBe('first')
    for (const one of outcomes)
      if (one.status === 'rejected') expect(['precondition_failed', 'not_found']).toContain(one.reason.code)
  })
})

describe('the end of an overlap', () => {
  it('is the same instant for verifying, for what is shown and for the next rotation', async () => {
    const { codeOf, fullKey, on, advance, now, ctx } = await world()
    const { key } = await rotate(...on, 1)
    const end = key.overlapEndsAt!.getTime()
    advance(end - ctx.now().getTime() - 1)
    expect([await codeOf(fullKey), (await now()).overlapEndsAt?.getTime()]).toEqual(['ok', end])
    await expect(rotate(...on)).rejects.toMatchObject({ code: 'conflict' })
    advance(1)
    expect(await codeOf(fullKey)).toBe('revoked')
    await rotate(...on)
  })
})

const MAIN = join(import.meta.dirname, '../../../src/main.ts')

it('two processes rotate one key: one does, the other is told', async () => {
  const shell = terminal()
  await shell.good('workspaces', 'create', 'Lab')
  await shell.good('keys', 'create', '--name', 'laptop')
  const argv = [process.execPath, '--no-env-file', MAIN, 'keys', 'rotate', 'laptop', '--data-dir', shell.dataDir]
  const rotated = await Promise.all(
    [1, 2].map(async () => {
      const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'pipe', env: { PATH: process.env.PATH ?? '' } })
      const [code, out, err] = await Promise.all([
        child.exited,
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ])
      return { code, out, err }
    }),
  )
  const [done, refused] = rotated.toSorted((a, b) => a.code - b.code)
  expect([done!.code, done!.out]).toEqual([0, expect.stringMatching(/^clv_live_\w{48}\n$/)])
  expect([refused!.code, refused!.out, refused!.err]).toEqual([1, '', expect.stringMatching(/is being rotated.*\n$/)])
  const { hint, rotation } = await shell.json('keys', 'show', 'laptop')
  expect([hint.slice(-4), rotation]).toEqual([done!.out.trim().slice(-4), expect.any(Object)])
}, 60_000)
