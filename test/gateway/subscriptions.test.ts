import { describe, expect, it } from 'vitest'
import { modern, offering, olderClient, overHttp, overStdio } from '../support/mcp.ts'
import { type Started, start } from '../support/start.ts'

const WATCHED = 'test://watched-resource'
const touch = { name: 'test_trigger_resource_update', arguments: {} }
const PATIENT = { timeout: 10_000 }

type Client = Awaited<ReturnType<typeof olderClient>>

/** All that a stream says, as it comes. */
function textOf(stream: Response) {
  const heard = { text: '', ended: false }
  void (async () => {
    for await (const piece of stream.body!.pipeThrough(new TextDecoderStream())) heard.text += piece
  })()
    .catch(() => {})
    .finally(() => {
      heard.ended = true
    })
  return heard
}

const updates = ({ text }: { text: string }) => text.split('notifications/resources/updated').length - 1

async function twoOf(app: Started) {
  const { fullKey } = await app.key()
  const clients = [await olderClient(app, '/mcp/fix', fullKey), await olderClient(app, '/mcp/fix', fullKey)] as const
  const heard = [textOf(await clients[0].listen()), textOf(await clients[1].listen())] as const
  for (const client of clients) await (await client.ask('resources/subscribe', { uri: WATCHED })).text()
  return { clients, heard, fullKey }
}

const touched = async (client: Client) => (await client.ask('tools/call', touch)).text()

describe('subscribers who share a server', () => {
  it('are not silenced by one who leaves', async () => {
    const app = await start()
    await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
    const { clients, heard } = await twoOf(app)
    await (await clients[0].ask('resources/unsubscribe', { uri: WATCHED })).text()
    await touched(clients[0])
    await expect.poll(() => updates(heard[1]), PATIENT).toBe(1)
    await clients[1].end()
    await touched(clients[0])
    await expect.poll(() => heard[1].ended, PATIENT).toBe(true)
    expect([updates(heard[0]), updates(heard[1])]).toEqual([0, 1])
  })

  it('are subscribed again when the process was replaced', async () => {
    const app = await start()
    await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
    const { clients, heard } = await twoOf(app)
    await (await clients[0].ask('tools/call', { name: 'crash', arguments: {} })).text()
    const hears = async () => {
      await touched(clients[0])
      return updates(heard[1])
    }
    await expect.poll(hears, PATIENT).toBeGreaterThan(0)
  })

  it.each(['/mcp/fix', '/mcp'])('may be of 2026-07-28 where the server is not, at %s', async (path) => {
    const app = await start()
    await offering(app, 'fix', { live: await overHttp({ era: 'legacy' }), isolation: 'shared' })
    const { fullKey } = await app.key()
    const asked = modern('subscriptions/listen', { notifications: { resourceSubscriptions: [WATCHED] } })
    const heard = textOf(await app.call('POST', path, { key: fullKey, ...asked }))
    const hears = async () => {
      await (await app.call('POST', '/mcp/fix', { key: fullKey, ...modern('tools/call', touch, 2) })).text()
      return updates(heard)
    }
    await expect.poll(hears, PATIENT).toBeGreaterThan(0)
  })
})

it('tells of a changed list only those who see the change in theirs', async () => {
  const app = await start()
  await offering(app, 'fix', { live: overStdio('--era', 'legacy') })
  const all = await app.key()
  const part = await app.key({ scopes: ['mcp:fix:echo'] })
  const one = await olderClient(app, '/mcp/fix', all.fullKey)
  const other = await olderClient(app, '/mcp', part.fullKey)
  const [heard, heardByOther] = [textOf(await one.listen()), textOf(await other.listen())]
  await (await one.ask('tools/list')).text()
  await (await other.ask('tools/list')).text()
  await (await one.ask('tools/call', { name: 'test_trigger_tool_change', arguments: {} })).text()
  await expect.poll(() => heard.text, PATIENT).toContain('notifications/tools/list_changed')
  await other.end()
  await expect.poll(() => heardByOther.ended, PATIENT).toBe(true)
  expect(heardByOther.text).not.toContain('list_changed')
})
