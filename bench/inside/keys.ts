import type { Context } from '../../src/core/context.ts'
import { newFullKey } from '../../src/core/keys/format.ts'
import { edit } from '../../src/core/keys/lifecycle.ts'
import { keyRing, type Ring } from '../../src/core/keys/ring.ts'
import { verify } from '../../src/core/keys/verify.ts'
import type { KeyQuery } from '../../src/core/store.ts'
import { furnish, openIn, operator } from '../claviger.ts'
import { median } from '../figures.ts'
import { betterAuthIn } from './better-auth.ts'
import { multiplyKeys } from './many-keys.ts'

export type Path = { name: string; perSecondFew: number; perSecondMany: number; ratio: number }
export type KeyFigures = { few: number; many: number; paths: Path[]; betterAuth: Compared | null }
/** Slices of one run, in turn: so many verifications a second of ours, and of theirs. */
export type Compared = { ours: number; theirs: number; ratio: number }

const FEW = 10

/** Once with ten keys in the database and once with very many. */
type Instance = {
  ctx: Context
  workspaceId: string
  ring: Ring
  inUse: string[]
  all: string[]
  /** The id of the one that is changed. */
  changing: string
}

/** One thing done once; `turn` counts. */
type Work = (on: Instance, turn: number) => Promise<void> | void

/** What is done once before, so that all rounds are alike: a first use is a row of its own, `read from the database`. */
type Before = (on: Instance) => Promise<void>

const PATHS: [string, Work, Before?][] = [
  ['verify: ten keys in use', (on, turn) => proven(on, on.ring, on.inUse[turn % on.inUse.length]!)],
  ['verify: read from the database', (on, turn) => proven(on, keyRing(on.ctx), on.all[(turn * 7919) % on.all.length]!)],
  ['verify: unknown key', stranger],
  ['list: first page', (on) => listed(on, {}, 1)],
  ['list: first by name', (on) => listed(on, { sort: 'name' }, 1)],
  ['list: latest used', (on) => listed(on, { sort: 'last_used' }, 1)],
  ['list: first to end', (on) => listed(on, { sort: 'expires' }, 1)],
  ['list: the few of one state', (on) => listed(on, { state: 'disabled' }, 0)],
  ['list: search for one name', (on) => listed(on, { search: 'client 7' }, 1)],
  ['list: search for what all have', (on) => listed(on, { search: 'clv_live' }, 1)],
  ['list: search for two letters', (on) => listed(on, { search: 'cl' }, 1)],
  ['verify: every key in turn', (on, turn) => proven(on, on.ring, on.all[turn % on.all.length]!), eachUsed],
  ['verify: a thousand keys after a change', afterChange, eachUsed],
]

/** Without HTTP, in this process: what is compared takes turns, slice by slice. */
async function measure({ folders, many, rounds, seconds, peer }: Given): Promise<KeyFigures> {
  const few = await instance(folders[0], FEW)
  const lots = await instance(folders[1], many)
  const paths: Path[] = []
  for (const [name, work, before] of PATHS) {
    for (const on of [few, lots]) await before?.(on)
    const [perSecondFew, perSecondMany] = await inTurn(
      [(turn) => work(few, turn), (turn) => work(lots, turn)],
      rounds,
      seconds / 2,
    )
    paths.push({ name, perSecondFew, perSecondMany, ratio: perSecondMany / perSecondFew })
  }
  const betterAuth = peer ? await comparedWith(await betterAuthIn(peer), few, rounds, seconds / 2) : null
  await Promise.all([few, lots].map(({ ctx }) => ctx.store.close()))
  return { few: FEW, many, paths, betterAuth }
}

async function comparedWith(
  verifyTheirs: () => Promise<void>,
  few: Instance,
  rounds: number,
  seconds: number,
): Promise<Compared> {
  const [, verifyOurs] = PATHS[0]!
  const [ours, theirs] = await inTurn([(turn) => verifyOurs(few, turn), verifyTheirs], rounds, seconds)
  return { ours, theirs, ratio: ours / theirs }
}

type Turned = (turn: number) => Promise<void> | void

/** How often a second each can be done, the median of the rounds; one round before them warms up. */
async function inTurn(works: [Turned, Turned], rounds: number, seconds: number): Promise<[number, number]> {
  const rates: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++)
    for (const [i, work] of works.entries()) {
      const rate = await rateOf(work, seconds)
      if (round > 0) rates[i]!.push(rate)
    }
  return [median(rates[0]), median(rates[1])]
}

async function instance(folder: string, keys: number): Promise<Instance> {
  const { workspaceId, fullKeys } = await furnish(folder, {}, FEW)
  const ctx = openIn(folder)
  const all = [...fullKeys, ...multiplyKeys(folder, ctx.secrets, keys - FEW)]
  const [changing] = await ctx.store.keys.named(workspaceId, 'client 0')
  return { ctx, workspaceId, ring: keyRing(ctx), inUse: fullKeys, all, changing: changing!.id }
}

async function rateOf(work: Turned, seconds: number): Promise<number> {
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  let turn = 0
  while (performance.now() < until) {
    for (let i = 0; i < 16; i++) {
      const done = work(turn++)
      if (done) await done
    }
  }
  return turn / ((performance.now() - startedAt) / 1000)
}

/** A Promise only where verifying gives one: waiting for nothing would be measured too. */
function proven({ ctx }: Instance, ring: Ring, fullKey: string): Promise<void> | void {
  const verdict = verify(ring, ctx.secrets, fullKey, ctx.now())
  if (verdict instanceof Promise) return verdict.then((late) => must(late.ok))
  must(verdict.ok)
}

const strangers = Array.from({ length: 20_000 }, () => newFullKey('clv', 'live').reveal())

/** More than the ring remembers, so that each is looked up. */
async function stranger({ ctx, ring }: Instance, turn: number): Promise<void> {
  const verdict = await verify(ring, ctx.secrets, strangers[turn % strangers.length]!, ctx.now())
  must(!verdict.ok)
}

async function eachUsed(on: Instance): Promise<void> {
  for (const fullKey of on.all) await proven(on, on.ring, fullKey)
}

let changes = 0

/** Somebody changes a key, and a thousand are used next. */
async function afterChange(on: Instance, turn: number): Promise<void> {
  await edit(on.ctx, operator, on.workspaceId, on.changing, { description: `change ${changes++}` })
  for (let i = 0; i < 1000; i++) await proven(on, on.ring, on.all[(turn * 1000 + i) % on.all.length]!)
}

type Asked = Pick<KeyQuery, 'search' | 'sort' | 'state'>

async function listed({ ctx, workspaceId }: Instance, asked: Asked, least: number): Promise<void> {
  const { items } = await ctx.store.keys.list({ workspaceId, ...asked, now: ctx.now() }, { limit: FEW, cursor: null })
  must(items.length >= least)
}

function must(held: boolean): void {
  if (!held) throw new Error('a key was judged wrongly')
}

type Given = { folders: [string, string]; many: number; rounds: number; seconds: number; peer: string | null }

const given = JSON.parse(process.argv[2]!) as Given
process.stdout.write(JSON.stringify(await measure(given)))
