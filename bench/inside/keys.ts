import type { Context } from '../../src/core/context.ts'
import { newFullKey } from '../../src/core/keys/format.ts'
import { keyRing, type Ring } from '../../src/core/keys/ring.ts'
import { verify } from '../../src/core/keys/verify.ts'
import { furnish, openIn } from '../claviger.ts'
import { median } from '../figures.ts'
import { multiplyKeys } from './many-keys.ts'

export type Path = { name: string; perSecondFew: number; perSecondMany: number; ratio: number }
export type KeyFigures = { few: number; many: number; paths: Path[] }

const FEW = 10

/** Once with ten keys in the database and once with very many. */
type Instance = {
  ctx: Context
  workspaceId: string
  ring: Ring
  inUse: string[]
  all: string[]
}

/** One thing done once; `turn` counts. */
type Work = (on: Instance, turn: number) => Promise<void> | void

const PATHS: [string, Work][] = [
  ['verify: ten keys in use', (on, turn) => proven(on, on.ring, on.inUse[turn % on.inUse.length]!)],
  ['verify: read from the database', (on, turn) => proven(on, keyRing(on.ctx), on.all[(turn * 7919) % on.all.length]!)],
  ['verify: unknown key', stranger],
  ['list: first page', (on) => listed(on, undefined, 1)],
  ['list: search for one name', (on) => listed(on, 'client 7', 1)],
  ['verify: every key in turn', (on, turn) => proven(on, on.ring, on.all[turn % on.all.length]!)],
]

/** Without HTTP, in this process: the two databases take turns, slice by slice. */
async function measure(folders: [string, string], many: number, rounds: number, seconds: number): Promise<KeyFigures> {
  const few = await instance(folders[0], FEW)
  const lots = await instance(folders[1], many)
  const paths: Path[] = []
  for (const [name, work] of PATHS) {
    const perSecond: [number[], number[]] = [[], []]
    for (let round = 0; round <= rounds; round++)
      for (const [i, on] of [few, lots].entries()) {
        const rate = await rateOf(work, on, seconds / 2)
        if (round > 0) perSecond[i]!.push(rate) // the first warms up
      }
    const [perSecondFew, perSecondMany] = perSecond.map(median) as [number, number]
    paths.push({ name, perSecondFew, perSecondMany, ratio: perSecondMany / perSecondFew })
  }
  await Promise.all([few, lots].map(({ ctx }) => ctx.store.close()))
  return { few: FEW, many, paths }
}

async function instance(folder: string, keys: number): Promise<Instance> {
  const { workspaceId, fullKeys } = await furnish(folder, {}, FEW)
  const ctx = openIn(folder)
  const all = [...fullKeys, ...multiplyKeys(folder, ctx.secrets, keys - FEW)]
  return { ctx, workspaceId, ring: keyRing(ctx), inUse: fullKeys, all }
}

async function rateOf(work: Work, on: Instance, seconds: number): Promise<number> {
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  let turn = 0
  while (performance.now() < until) {
    for (let i = 0; i < 16; i++) {
      const done = work(on, turn++)
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

async function listed({ ctx, workspaceId }: Instance, search: string | undefined, least: number): Promise<void> {
  const { items } = await ctx.store.keys.list({ workspaceId, search, now: ctx.now() }, { limit: 50, cursor: null })
  must(items.length >= least)
}

function must(held: boolean): void {
  if (!held) throw new Error('a key was judged wrongly')
}

const [few, lots, many, rounds, seconds] = process.argv.slice(2) as [string, string, string, string, string]
const figures = await measure([few, lots], Number(many), Number(rounds), Number(seconds))
process.stdout.write(JSON.stringify(figures))
