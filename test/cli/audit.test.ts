import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { refused, terminal } from './terminal.ts'

async function lab() {
  const shell = terminal()
  await shell.user('ana@example.com', '--owner')
  await shell.good('keys', 'create', '--name', 'x')
  await shell.good('keys', 'edit', 'x', '--rate', '5')
  return shell
}

describe('audit list', () => {
  it('shows the newest first, in words and as data', async () => {
    const { good, json } = await lab()
    expect(await good('audit', 'list')).toMatch(
      /^AT +WHO +WHAT +WHICH\n2026-06-01T12:00:00Z +command line \(.+\) +key\.changed +x \(clv_live_/,
    )
    expect(await json('audit', 'list', '--limit', '1')).toMatchObject([
      { action: 'key.changed', before: { rate_limit_per_minute: 600 }, after: { rate_limit_per_minute: 5 } },
    ])
    expect(await good('audit', 'list', '--instance')).toContain('instance.set_up')
  })

  it('refuses an odd limit', async () => {
    const { claviger } = await lab()
    for (const limit of ['0', '201', 'all', '-1'])
      expect(await claviger('audit', 'list', `--limit=${limit}`)).toEqual(refused(2, /^--limit is/))
  })
})

describe('audit verify', () => {
  it('finds whole chains whole', async () => {
    const { json, good } = await lab()
    const said = await json('audit', 'verify')
    expect(said).toMatchObject({
      ok: true,
      checked: 7,
      chains: [{ chain: 'instance', ok: true, checked: 2 }, { ok: true }],
    })
    expect(await json('audit', 'verify', '--instance')).toMatchObject({ checked: 2 })
    expect(await good('audit', 'verify', '--workspace', 'main')).toMatch(/^wsp_\w+: 5 lines, whole\n$/)
  })

  it('names the first line that was changed', async () => {
    const { claviger, dataDir } = await lab()
    const database = new Database(join(dataDir, 'claviger.db'))
    database.prepare("update audit set action = 'key.enabled' where action = 'key.created'").run()
    database.close()
    const said = await claviger('audit', 'verify')
    expect(said).toMatchObject({
      code: 1,
      err: expect.stringMatching(/line 4: was changed .+ Compare with a backup\.\n$/),
    })
    expect(JSON.parse((await claviger('audit', 'verify', '--json')).out)).toMatchObject({
      ok: false,
      first_bad: { chain: expect.stringMatching(/^wsp_/), seq: 4 },
    })
  })
})

describe('config print', () => {
  it('tells where each setting comes from, and no secret', async () => {
    const { type } = terminal()
    const env = { CLAVIGER_METRICS_TOKEN: 'token-of-the-metrics', CLAVIGER_PORT: '9000' }
    const { out } = await type(['config', 'print'], { env })
    expect(out).toMatch(/^port +9000 +environment$/m)
    expect(out).toMatch(/^metrics_token +\(hidden\) +environment$/m)
    expect(out).not.toContain('token-of-the-metrics')
  })
})
