import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keyRing, type Ring } from '../../src/core/keys/ring.ts'
import { mcpShelf } from '../../src/core/mcps/shelf.ts'
import type { Store } from '../../src/core/store.ts'
import { versionOf } from '../../src/store/version.ts'
import { aKey, aLine, anMcp, aRepo, entryOf, folder, furnished, later, NOW, storeIn } from '../support/store.ts'

const fileIn = () => join(folder(), 'claviger.db')

describe('the version of the store', () => {
  it('stays while nobody writes, whatever is read', async () => {
    const store = storeIn(fileIn())
    const { workspace } = await furnished(store)
    const before = store.version()
    await store.keys.list({ workspaceId: workspace.id, now: NOW }, { limit: 10, cursor: null })
    await store.audit.list({ chain: workspace.id }, { limit: 10, cursor: null })
    expect([store.version(), store.seenVersion()]).toEqual([before, before])
  })

  it('moves with every change of ours that a key or its reach depends on', async () => {
    const store = storeIn()
    const { workspace, user, key: add } = await furnished(store)
    const { key } = await add()
    const person = await user()
    const entry = (action: Parameters<typeof entryOf>[0]) => entryOf(action, workspace.id, 'x')
    const mcp = anMcp(workspace)
    const repo = aRepo(workspace)
    const acts: [string, () => Promise<unknown>][] = [
      ['a key added', () => add()],
      ['a key changed', () => store.keys.change(key, { name: 'other' }, entry('key.changed'))],
      ['a key removed', () => store.keys.remove(key, entry('key.deleted'))],
      ['an MCP added', () => store.mcps.add(mcp, entry('mcp.added'))],
      ['an MCP changed', () => store.mcps.change({ ...mcp, revision: 2 }, entry('mcp.changed'))],
      ['an MCP removed', () => store.mcps.remove(mcp, entry('mcp.removed'))],
      ['a repo added', () => store.repos.add(repo, entry('repo.added'))],
      ['a repo changed', () => store.repos.change({ ...repo, revision: 2 }, entry('repo.changed'))],
      ['a repo removed', () => store.repos.remove(repo, entry('repo.removed'))],
      [
        'a member added and removed',
        async () => {
          await store.members.add(workspace.id, person.id, 'member', NOW, entry('member.added'))
          await store.members.remove(workspace.id, person.id, 'member', null, NOW, () => [])
        },
      ],
      ['a user removed', () => store.users.remove(person.id, entry('user.removed'))],
      ['a workspace removed', () => store.workspaces.remove(workspace.id, [])],
    ]
    for (const [what, act] of acts) {
      const before = store.version()
      await act()
      expect([what, store.version() > before]).toEqual([what, true])
    }
  })

  it('stays while lines of activity are written, here or elsewhere', async () => {
    const file = fileIn()
    const [server, other] = [storeIn(file), storeIn(file)]
    const { workspace } = await furnished(server)
    const before = server.version()
    for (const store of [server, other]) {
      await store.activity.write([aLine(workspace)])
      expect([server.version(), server.seenVersion()]).toEqual([before, before])
    }
    const page = { limit: 10, cursor: null }
    expect((await server.activity.list({ workspaceId: workspace.id }, page)).items).toHaveLength(2)
  })

  it('moves even when a change of ours failed, whose end nobody knows', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const { key, hash } = aKey(workspace, { workspaceId: 'nowhere' })
    const before = store.version()
    await expect(store.keys.add(key, { hash }, entryOf('key.created', workspace.id, key.id))).rejects.toThrow(
      'FOREIGN KEY',
    )
    expect(store.version()).toBeGreaterThan(before)
  })

  it('moves with commits of others where the file is reached by a link, whatever lies beside it', async () => {
    const [file, link] = [fileIn(), fileIn()]
    storeIn(file)
    symlinkSync(file, link)
    writeFileSync(`${link}-shm`, new Uint8Array(32_768)) // as a database leaves it that was there before
    const [server, other] = [storeIn(link), storeIn(file)]
    const before = server.version()
    await furnished(other)
    expect(server.version()).toBeGreaterThan(before)
  })

  it('moves with commits of others where there is no log', () => {
    const file = fileIn()
    const [server, other] = [new Database(file), new Database(file)]
    onTestFinished(() => void [server, other].map((one) => one.close()))
    server.exec('create table t (n)')
    const version = versionOf(server)
    const before = version.now()
    other.exec('insert into t values (1)')
    expect(version.now()).toBeGreaterThan(before)
  })

  it('moves with every commit of another connection', async () => {
    const file = fileIn()
    const [server, cli] = [storeIn(file), storeIn(file)]
    const { key } = await furnished(cli)
    const before = server.version()
    await key()
    expect(server.seenVersion()).toBe(before)
    expect(server.version()).toBeGreaterThan(before)
    expect(server.seenVersion()).toBe(server.version())
  })

  it('moves with a commit that came just before a transaction of ours', async () => {
    const file = fileIn()
    const [server, cli] = [storeIn(file), storeIn(file)]
    const { workspace, key, user } = await furnished(cli)
    const person = await user()
    await cli.members.add(workspace.id, person.id, 'member', NOW, entryOf('member.added', workspace.id, person.id))
    const before = server.version()
    await key()
    const during: number[] = []
    await server.members.remove(workspace.id, person.id, 'member', null, NOW, () => {
      during.push(server.version())
      return []
    })
    expect(during).toEqual([before + 1])
    expect(server.version()).toBe(before + 2)
  })
})

describe('the ring', () => {
  const stateIn = async (ring: Ring, hash: string) => {
    const found = await ring.find(hash)
    return found && { disabled: found.disabledAt !== null, revision: found.revision }
  }

  it('answers from memory, without waiting, until something is written', async () => {
    const store = storeIn()
    const { key } = await furnished(store)
    const { hash } = await key()
    const ring = keyRing({ store })
    expect(ring.find(hash)).toBeInstanceOf(Promise)
    await ring.find(hash)
    expect(ring.find(hash)).not.toBeInstanceOf(Promise)
    await key()
    expect(ring.find(hash)).toBeInstanceOf(Promise)
  })

  it('knows strangers too, until they are issued', async () => {
    const store = storeIn()
    const { workspace } = await furnished(store)
    const { key, hash } = aKey(workspace)
    const ring = keyRing({ store })
    expect(await ring.find(hash)).toBeNull()
    expect(ring.find(hash)).toBeNull()
    await store.keys.add(key, { hash }, entryOf('key.created', workspace.id, key.id))
    expect(await stateIn(ring, hash)).toEqual({ disabled: false, revision: 1 })
  })

  it('obeys another process on the very next look', async () => {
    const file = fileIn()
    const [server, cli] = [storeIn(file), storeIn(file)]
    const { workspace, key: add } = await furnished(cli)
    const { key, hash } = await add()
    const ring = keyRing({ store: server })
    expect(await stateIn(ring, hash)).toEqual({ disabled: false, revision: 1 })
    await cli.keys.change(key, { disabledAt: NOW }, entryOf('key.disabled', workspace.id, key.id))
    expect(await stateIn(ring, hash)).toEqual({ disabled: true, revision: 2 })
    await cli.keys.remove({ ...key, revision: 2 }, entryOf('key.deleted', workspace.id, key.id))
    expect(await ring.find(hash)).toBeNull()
  })

  /** A store whose reads of keys wait until the test lets them go, with what they had read by then. */
  function slow(store: Store) {
    const waiting: (() => void)[] = []
    const keys = {
      ...store.keys,
      async findByHash(hash: string) {
        const found = await store.keys.findByHash(hash)
        await new Promise<void>((resolve) => waiting.push(resolve))
        return found
      },
    }
    return { store: { ...store, keys }, waiting }
  }

  it.each(['this process', 'another'])('keeps nothing of a slow read that %s has overtaken', async (who) => {
    const file = fileIn()
    const [own, foreign] = [storeIn(file), storeIn(file)]
    const writer = who === 'another' ? foreign : own
    const { workspace, key: add } = await furnished(own)
    const { key, hash } = await add()
    const { store, waiting } = slow(own)
    const ring = keyRing({ store })
    const late = ring.find(hash)
    await expect.poll(() => waiting.length).toBe(1)
    await writer.keys.change(key, { disabledAt: NOW }, entryOf('key.disabled', workspace.id, key.id))
    waiting.pop()!()
    expect((await late)?.disabledAt).toBeNull() // asked before the change was answered
    const next = ring.find(hash)
    expect(next).toBeInstanceOf(Promise)
    await expect.poll(() => waiting.length).toBe(1)
    waiting.pop()!()
    expect((await next)?.disabledAt).toEqual(NOW)
  })

  it('lets a slow read that ends late fill no newer memory', async () => {
    const own = storeIn()
    const { workspace, key: add } = await furnished(own)
    const { key, hash } = await add()
    const { store, waiting } = slow(own)
    const ring = keyRing({ store })
    const first = ring.find(hash)
    await expect.poll(() => waiting.length).toBe(1)
    await own.keys.change(key, { disabledAt: NOW }, entryOf('key.disabled', workspace.id, key.id))
    const second = ring.find(hash)
    await expect.poll(() => waiting.length).toBe(2)
    waiting.pop()!() // the newer read is the first to end
    await second
    waiting.pop()!()
    expect((await first)?.disabledAt).toBeNull()
    const third = ring.find(hash)
    expect(third).not.toBeInstanceOf(Promise)
    expect(await stateIn(ring, hash)).toEqual({ disabled: true, revision: 2 })
  })

  it('never answers with what was true before a change that was answered', async () => {
    const file = fileIn()
    const [server, cli] = [storeIn(file), storeIn(file)]
    const { workspace, key: add } = await furnished(server)
    const { key, hash } = await add()
    const ring = keyRing({ store: server })
    let done = false
    let answered = 1 // the revision that some caller has been told of
    const asking = (async () => {
      let looks = 0
      while (!done) {
        const least = answered
        const found = await ring.find(hash)
        expect(found!.revision).toBeGreaterThanOrEqual(least)
        looks++
      }
      return looks
    })()
    let current = key
    for (let round = 0; round < 60; round++) {
      const store = round % 2 === 0 ? server : cli
      const change = { disabledAt: round % 4 < 2 ? NOW : null }
      const used = { keyId: key.id, at: later(round), ip: '::1', client: null, requests: 1 }
      await server.uses.note([used])
      current = (await store.keys.change(current, change, entryOf('key.changed', workspace.id, key.id)))!
      answered = current.revision
    }
    done = true
    expect(await asking).toBeGreaterThan(60)
  })

  it('is not emptied by what nobody decides by', async () => {
    const store = storeIn()
    const { key: add, owner } = await furnished(store)
    const { key, hash } = await add()
    const ring = keyRing({ store })
    await ring.find(hash)
    await store.uses.note([{ keyId: key.id, at: NOW, ip: '127.0.0.1', client: null, requests: 1 }])
    await store.probe()
    await store.users.change(owner.id, { name: 'Other' }, entryOf('user.renamed', 'instance', owner.id))
    expect(ring.find(hash)).not.toBeInstanceOf(Promise)
  })

  it('forgets the oldest stranger first, and no key for strangers', async () => {
    const store = storeIn()
    const { key: add } = await furnished(store)
    const { hash } = await add()
    const ring = keyRing({ store })
    await ring.find(hash)
    for (let i = 0; i <= 5000; i++) await ring.find(`stranger ${i}`)
    expect(ring.find(hash)).not.toBeInstanceOf(Promise)
    expect(ring.find('stranger 5000')).toBeNull()
    expect(ring.find('stranger 0')).toBeInstanceOf(Promise)
  })
})

describe('the shelf of MCPs', () => {
  it('is as fresh as the ring’s last look', async () => {
    const file = fileIn()
    const [server, cli] = [storeIn(file), storeIn(file)]
    const { workspace } = await furnished(server)
    const shelf = mcpShelf({ store: server })
    const slugs = async () => [...(await shelf.of(workspace.id)).keys()]
    expect(await slugs()).toEqual([])
    await cli.mcps.add(anMcp(workspace), entryOf('mcp.added', workspace.id, 'files'))
    server.version()
    expect(await slugs()).toEqual(['files'])
    expect(shelf.of(workspace.id)).not.toBeInstanceOf(Promise)
    await server.mcps.add(anMcp(workspace, { slug: 'more' }), entryOf('mcp.added', workspace.id, 'more'))
    expect(await slugs()).toEqual(['files', 'more'])
  })
})
