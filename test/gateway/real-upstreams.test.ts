import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Isolation } from '../../src/core/mcps/mcp.ts'
import { offering } from '../support/mcp.ts'
import { start } from '../support/start.ts'
import { connectTo, KINDS, type Kind, type Place } from './real-upstreams/clients.ts'
import { type Observation, observe } from './real-upstreams/observe.ts'
import { everything, everythingOverSse, type RealServer, SERVERS } from './real-upstreams/servers.ts'

function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'claviger-real-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

type Subject = { server: RealServer; kind: Kind; able: boolean }

async function seenAt(place: Place, folder: string, prefix: string, { server, kind, able }: Subject) {
  const client = await connectTo(place, kind, able, folder)
  return observe(client, server, { folder, prefix, older: kind !== 'SDK 2 auto', able }).finally(client.close)
}

const observed = new Map<string, Promise<Observation>>()

/** Once for each subject: the server and the client stay the same. */
function directly(subject: Subject): Promise<Observation> {
  const { server, kind, able } = subject
  const name = JSON.stringify([server.name, kind, able])
  const seen = observed.get(name) ?? seenDirectly(subject)
  observed.set(name, seen)
  return seen
}

async function seenDirectly(subject: Subject): Promise<Observation> {
  const folder = newFolder()
  const { place, close } = await subject.server.start(folder)
  return seenAt(place, folder, '', subject).finally(close)
}

/** A server of its own for each address, since what one client did there another would see. */
async function throughClaviger(subject: Subject, isolation?: Isolation) {
  const app = await start()
  const at = async (slug: string, path: string, prefix: string) => {
    const folder = newFolder()
    const { target, close } = await subject.server.start(folder)
    onTestFinished(close)
    await offering(app, slug, { live: target, isolation })
    const { fullKey } = await app.key({ mcpAccess: { mode: 'selected', mcps: [{ slug, tools: null }] } })
    const place = { url: app.origin + path, headers: { Authorization: `Bearer ${fullKey}` } }
    return seenAt(place, folder, prefix, subject)
  }
  const [single, merged] = await Promise.all([at('one', '/mcp/one', ''), at('two', '/mcp', 'two__')])
  return { single, merged }
}

/** At /mcp it is Claviger that introduces itself. */
function unintroduced(seen: Observation) {
  return { ...seen, hello: null }
}

/** On a connection that several clients share, a log line may be about another's call: it is told to none (0006). */
function unlogged(seen: Observation) {
  return { ...seen, heard: seen.heard.filter(([method]) => method !== 'notifications/message') }
}

/**
 * What a client sees through 2026-07-28 of a server that does not speak it: nothing unasked, since it has not said that
 * it listens, and no `tasks`, which are an extension there.
 */
function statelessly(seen: Observation) {
  const { capabilities, ...hello } = seen.hello as { capabilities: object }
  return { ...seen, heard: [], hello: { ...hello, capabilities: { ...capabilities, tasks: undefined } } }
}

const OLDER = KINDS.filter((kind) => kind !== 'SDK 2 auto')

describe.each(SERVERS)('server-$name through Claviger', (server) => {
  it.each(OLDER)('is the same to a client of %s that cannot be asked', async (kind) => {
    const subject = { server, kind, able: false }
    const [seen, { single, merged }] = await Promise.all([directly(subject), throughClaviger(subject)])
    const direct = server.isShared ? unlogged(seen) : seen
    expect(single).toEqual(direct)
    expect(unintroduced(merged)).toEqual(unintroduced(direct))
  })

  it.each(OLDER)('is the same to a client of %s with sampling, elicitation and roots', async (kind) => {
    const subject = { server, kind, able: true }
    const [direct, { single, merged }] = await Promise.all([directly(subject), throughClaviger(subject)])
    expect(single).toEqual(direct)
    expect(unintroduced(merged)).toEqual(unintroduced(direct))
  })

  it.each([false, true])('is the same to a client of 2026-07-28 (can be asked: %s)', async (able) => {
    // A server of another era cannot ask such a client through Claviger: it is told that the client cannot be asked.
    const [direct, { single, merged }] = await Promise.all([
      directly({ server, kind: 'SDK 2 auto', able: false }).then(statelessly),
      throughClaviger({ server, kind: 'SDK 2 auto', able }),
    ])
    expect(single).toEqual(direct)
    expect(unintroduced(merged)).toEqual(unintroduced(direct))
  })
})

describe('server-everything through Claviger, with a connection for each session', () => {
  it.each(OLDER)('tells a client of %s its log lines too', async (kind) => {
    const subject = { server: everything, kind, able: false }
    const [direct, { single, merged }] = await Promise.all([directly(subject), throughClaviger(subject, 'per-session')])
    expect(direct.heard).not.toEqual(unlogged(direct).heard)
    expect(single).toEqual(direct)
    expect(unintroduced(merged)).toEqual(unintroduced(direct))
  })
})

describe('server-everything over HTTP+SSE through Claviger', () => {
  it.each(OLDER)('is the same to a client of %s', async (kind) => {
    const subject = { server: everythingOverSse, kind, able: true }
    const [direct, { single, merged }] = await Promise.all([directly(subject), throughClaviger(subject)])
    expect(single).toEqual(direct)
    expect(merged.seen).toEqual(direct.seen)
  })
})

describe('what is compared', () => {
  it('holds every kind of answer, question and notification', async () => {
    const direct = await directly({ server: everything, kind: 'SDK 1', able: true })
    expect(direct.heard.map(([method]) => method)).toEqual(
      expect.arrayContaining([
        'elicitation/create',
        'notifications/message',
        'notifications/resources/list_changed',
        'notifications/resources/updated',
        'roots/list',
        'sampling/createMessage',
      ]),
    )
    expect(direct.seen.some(({ progress }) => progress.length > 0)).toBe(true)
    const text = JSON.stringify(direct.seen)
    for (const part of ['Sampled.', 'Grüße', '"structuredContent"', '"type":"image"', '"values":["7"]', '-32042'])
      expect(text).toContain(part)
  })
})
