import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { hintOf, wellFormed } from '../../src/core/keys/format.ts'
import { refused, type Terminal, terminal } from './terminal.ts'

const DAY = 86_400_000

async function lab(): Promise<Terminal> {
  const shell = terminal()
  await shell.good('workspaces', 'create', 'Lab')
  return shell
}

/** As many more of the only key there is, without waiting for the disk each time. */
function copyKey(dataDir: string, times: number): void {
  const database = new Database(join(dataDir, 'claviger.db'))
  const row = database.prepare('select * from keys').get() as Record<string, unknown>
  const columns = Object.keys(row)
  const insert = database.prepare(`insert into keys (${columns}) values (${columns.map((column) => `@${column}`)})`)
  database.transaction(() => {
    for (let copy = 0; copy < times; copy++) insert.run({ ...row, id: `${row.id}${String(copy).padStart(3, '0')}` })
  })()
  database.close()
}

describe('keys create', () => {
  it('prints the full key alone, once', async () => {
    const { claviger, good } = await lab()
    const { code, out, err } = await claviger('keys', 'create', '--name', 'laptop')
    expect(code).toBe(0)
    expect(wellFormed(out.trimEnd())).toBe(true)
    expect(err).toBe(`laptop (${hintOf(out.trimEnd())}) never expires. Keep the key now: it will not be shown again.\n`)
    expect((await good('keys', 'show', 'laptop')) + (await good('keys', 'list', '--json'))).not.toContain(out.trimEnd())
  })

  it('fills in what was left out', async () => {
    const { json } = await lab()
    const { id, key, hint, ...rest } = await json('keys', 'create', '--name', 'laptop')
    expect(key).toMatch(/^clv_live_[0-9A-Za-z]{48}$/)
    expect(id).toMatch(/^key_/)
    expect(hint).toBe(hintOf(key))
    expect(rest).toEqual({
      name: 'laptop',
      description: null,
      environment: 'live',
      type: 'restricted',
      scopes: ['mcp:*'],
      mcp_access: { mode: 'all' },
      ip_allow: [],
      rate_limit_per_minute: 600,
      quota_per_day: null,
      allow_in_url: false,
      not_before: null,
      expires_at: null,
      status: 'active',
      created_by: { kind: 'cli', id: null, label: expect.stringMatching(/^command line \(.+\)$/) },
      created_at: '2026-06-01T12:00:00.000Z',
      last_used_at: null,
      last_used_ip: null,
      last_used_client: null,
      request_count: 0,
      rotation: null,
      revoked_reason: null,
    })
  })

  it('obeys every option', async () => {
    const { json } = await lab()
    const options = [
      ['--description', 'for CI', '--env', 'test', '--type', 'unrestricted', '--scope', 'mcp:docs:search'],
      ['--scope', 'keys:read,usage:read', '--mcp', 'docs:search,get_doc', '--mcp', 'wiki', '--mcp', 'docs:list_repos'],
      ['--ip', '10.0.0.0/8', '--ip', '2001:db8::1', '--rate', '5', '--quota', '100', '--allow-in-url'],
      ['--not-before', '2026-07-01', '--expires', '2026-12-31'],
    ].flat()
    expect(await json('keys', 'create', '--name', 'ci', ...options)).toMatchObject({
      description: 'for CI',
      environment: 'test',
      type: 'unrestricted',
      scopes: ['mcp:docs:search', 'keys:read', 'usage:read'],
      mcp_access: {
        mode: 'selected',
        mcps: [
          { slug: 'docs', tools: ['search', 'get_doc', 'list_repos'] },
          { slug: 'wiki', tools: null },
        ],
      },
      ip_allow: ['10.0.0.0/8', '2001:db8::1'],
      rate_limit_per_minute: 5,
      quota_per_day: 100,
      allow_in_url: true,
      not_before: '2026-07-01T00:00:00.000Z',
      expires_at: '2026-12-31T23:59:59.999Z',
      status: 'scheduled',
    })
  })

  it.each([
    ['90d', '2026-08-30T12:00:00.000Z'],
    ['2027-03-31', '2027-03-31T23:59:59.999Z'],
    ['2027-03-31T12:00:00+02:00', '2027-03-31T10:00:00.000Z'],
    ['never', null],
  ])('reads an expiry of %s', async (text, end) => {
    const { json } = await lab()
    expect(await json('keys', 'create', '--name', 'x', '--expires', text)).toMatchObject({ expires_at: end })
  })

  it.each([
    [['--env', 'prod'], 'Give live or test'],
    [['--type', 'free'], 'Give restricted or unrestricted'],
    [['--scope', 'keys:reed'], '"keys:reed" is no scope'],
    [['--scope', ''], 'is no scope'],
    [['--mcp', 'Docs'], '"Docs" is no slug'],
    [['--mcp', 'docs:'], 'Name tools after the colon'],
    [['--mcp', 'docs', '--all-mcps'], 'not both'],
    [['--ip', '10.0.0.0/33'], 'is no address'],
    [['--ip', 'any,10.0.0.1'], 'give it alone'],
    [['--rate', '0'], 'from 1 to 1000000'],
    [['--rate', '1000001'], 'from 1 to 1000000'],
    [['--rate', 'many'], 'Give a whole number'],
    [['--rate', '-5'], '--rate needs a value: --rate N'],
    [['--rate=-5'], 'Give a whole number'],
    [['--quota', '1.5'], 'Give a whole number'],
    [['--quota', '0'], 'from 1 up'],
    [['--expires', 'soon'], '"soon" is no date'],
    [['--expires', '2026-05-31'], 'in the future'],
    [['--expires', '2026-02-30'], 'is no date'],
    [['--expires', '0d'], 'in the future'],
    [['--not-before', '90d'], '"90d" is no date'],
    [['--not-before', '2027-01-01', '--expires', '2026-12-31'], 'expire before it becomes valid'],
    [['--name', 'twice'], '--name is given twice'],
    [['--expire', '90d'], 'Did you mean --expires?'],
    [['--json=yes'], '--json takes no value'],
    [['laptop'], 'One argument too many. Usage: claviger keys create [OPTIONS]'],
  ])('refuses %s as wrong usage', async (argv, says) => {
    const { claviger, json } = await lab()
    expect(await claviger('keys', 'create', '--name', 'x', ...argv)).toEqual(refused(2, says))
    expect(await json('keys', 'list')).toEqual([])
  })

  it('needs a name of 1 to 100 characters', async () => {
    const { claviger, json } = await lab()
    expect(await claviger('keys', 'create')).toEqual(refused(2, 'Missing --name NAME'))
    expect(await claviger('keys', 'create', '--name', ' ')).toEqual(refused(2, '1 to 100 characters'))
    expect(await claviger('keys', 'create', '--name', 'é'.repeat(101))).toEqual(refused(2, '1 to 100 characters'))
    expect(await json('keys', 'create', '--name', '🗝'.repeat(100))).toMatchObject({ name: '🗝'.repeat(100) })
  })
})

describe('keys list', () => {
  it('shows all of them, however many', async () => {
    const { good, json, dataDir } = await lab()
    await good('keys', 'create', '--name', 'x')
    copyKey(dataDir, 250)
    const keys = (await json('keys', 'list')) as { id: string }[]
    expect(new Set(keys.map(({ id }) => id)).size).toBe(251)
    expect((await good('keys', 'list')).split('\n').length).toBe(253)
    expect(await good('workspaces', 'delete', 'lab').catch(String)).toContain('251 keys (251 active)')
  })

  it('shows the newest first', async () => {
    const shell = await lab()
    for (let number = 1; number <= 3; number++) {
      await shell.good('keys', 'create', '--name', `key ${number}`)
      shell.advance(1000)
    }
    const [head, ...rows] = (await shell.good('keys', 'list')).trimEnd().split('\n')
    expect(head).toMatch(/^ID +NAME +ENV +STATUS +HINT +EXPIRES +LAST USED$/)
    expect(rows.map((row) => /key \d/.exec(row)![0])).toEqual(['key 3', 'key 2', 'key 1'])
  })

  it('narrows by environment, status and text', async () => {
    const shell = await lab()
    await shell.good('keys', 'create', '--name', 'one', '--env', 'test')
    await shell.good('keys', 'create', '--name', 'two', '--expires', '30d')
    await shell.good('keys', 'create', '--name', 'three', '--not-before', '2026-09-01')
    await shell.good('keys', 'disable', 'one')
    shell.advance(31 * DAY)
    const names = async (...argv: string[]) =>
      (await shell.json('keys', 'list', ...argv)).map(({ name }: { name: string }) => name)
    expect(await names('--env', 'test')).toEqual(['one'])
    expect(await names('--status', 'disabled')).toEqual(['one'])
    expect(await names('--status', 'expired')).toEqual(['two'])
    expect(await names('--status', 'scheduled')).toEqual(['three'])
    expect(await names('--search', 'THRE')).toEqual(['three'])
    expect(await shell.good('keys', 'list', '--status', 'revoked')).toBe('No key fits.\n')
    expect(await shell.claviger('keys', 'list', '--status', 'on')).toEqual(refused(2, 'Give active, scheduled'))
    expect(await shell.claviger('keys', 'list', '--env', 'on')).toEqual(refused(2, 'Give live or test'))
  })

  it('says how to begin', async () => {
    expect(await (await lab()).good('keys', 'list')).toContain('keys create --name NAME')
  })
})

describe('a key', () => {
  it('is named by id, hint, or exact name', async () => {
    const { json, claviger } = await lab()
    const { id, hint } = await json('keys', 'create', '--name', 'laptop')
    for (const name of [id, hint, hint.replace('…', '...'), 'laptop'])
      expect(await json('keys', 'show', name)).toMatchObject({ id })
    expect(await claviger('keys', 'show', 'Laptop')).toEqual(refused(1, 'There is no key Laptop'))
    expect(await claviger('keys', 'show')).toEqual(refused(2, 'Missing KEY'))
  })

  it('is named by id where several share a name', async () => {
    const { json, claviger } = await lab()
    const ids = [await json('keys', 'create', '--name', 'x'), await json('keys', 'create', '--name', 'x')]
    const said = await claviger('keys', 'revoke', 'x')
    expect(said).toEqual(refused(1, 'Several keys are called x'))
    for (const { id } of ids) expect(said.err).toContain(id)
    expect(await json('keys', 'list', '--status', 'revoked')).toEqual([])
  })

  it('is another workspace’s, and so there is none', async () => {
    const { good, json, claviger } = await lab()
    const { id } = await json('keys', 'create', '--name', 'x')
    await good('workspaces', 'create', 'Shop')
    expect(await claviger('keys', 'revoke', id, '--workspace', 'shop')).toEqual(refused(1, 'There is no key'))
  })

  it('is never named by the key itself', async () => {
    const { json, claviger } = await lab()
    const { key } = await json('keys', 'create', '--name', 'x')
    for (const verb of ['show', 'edit', 'disable', 'enable', 'revoke', 'delete']) {
      const said = await claviger('keys', verb, key, ...(verb === 'edit' ? ['--rate', '1'] : []))
      expect(said).toEqual(refused(2, 'stands in the process list'))
      expect(said.err).not.toContain(key)
    }
  })
})

describe('keys show', () => {
  it('shows everything in words', async () => {
    const { good } = await lab()
    await good('keys', 'create', '--name', 'ci', '--mcp', 'docs:search', '--mcp', 'wiki', '--quota', '9', '--ip', '::1')
    await good('keys', 'revoke', 'ci', '--reason', 'laptop stolen')
    const said = await good('keys', 'show', 'ci')
    for (const line of [
      /^Name +ci$/m,
      /^Status +revoked: laptop stolen$/m,
      /^MCPs +docs:search wiki$/m,
      /^Addresses +::1$/m,
      /^Calls a day +9$/m,
      /^Expires +never$/m,
      /^Last used +It was never used\.$/m,
    ])
      expect(said).toMatch(line)
  })
})

describe('keys edit', () => {
  it('changes what is named and nothing else', async () => {
    const { json } = await lab()
    const { key: _, ...before } = await json('keys', 'create', '--name', 'x', '--rate', '7', '--expires', '30d')
    expect(await json('keys', 'edit', 'x', '--name', 'y', '--scope', 'mcp:docs:*')).toEqual({
      ...before,
      name: 'y',
      scopes: ['mcp:docs:*'],
    })
  })

  it('takes back what was given', async () => {
    const { json } = await lab()
    const given = ['--description', 'd', '--mcp', 'docs', '--ip', '::1', '--quota', '9', '--allow-in-url']
    await json('keys', 'create', '--name', 'x', ...given, '--not-before', '2026-07-01', '--expires', '90d')
    const back = ['--description', '', '--all-mcps', '--ip', 'any', '--quota', 'none', '--no-allow-in-url']
    expect(await json('keys', 'edit', 'x', ...back, '--not-before', 'now', '--expires', 'never')).toMatchObject({
      description: null,
      mcp_access: { mode: 'all' },
      ip_allow: [],
      quota_per_day: null,
      allow_in_url: false,
      not_before: null,
      expires_at: null,
      status: 'active',
    })
  })

  it('revives an expired key by a later end', async () => {
    const shell = await lab()
    await shell.good('keys', 'create', '--name', 'x', '--expires', '1d')
    shell.advance(2 * DAY)
    expect(await shell.json('keys', 'show', 'x')).toMatchObject({ status: 'expired' })
    expect(await shell.good('keys', 'edit', 'x', '--expires', '30d')).toMatch(/^x \(clv_live_.+\) is changed\. /)
    expect(await shell.json('keys', 'show', 'x')).toMatchObject({ status: 'active' })
  })

  it('refuses an empty change, a contradiction, another environment and a revoked key', async () => {
    const { good, claviger } = await lab()
    await good('keys', 'create', '--name', 'x')
    expect(await claviger('keys', 'edit', 'x')).toEqual(refused(2, 'Say what to change'))
    expect(await claviger('keys', 'edit', 'x', '--allow-in-url', '--no-allow-in-url')).toEqual(refused(2, 'not both'))
    expect(await claviger('keys', 'edit', 'x', '--env', 'test')).toEqual(refused(2, '--env is no option'))
    await good('keys', 'revoke', 'x')
    expect(await claviger('keys', 'edit', 'x', '--rate', '5')).toEqual(refused(1, 'cannot be changed'))
  })
})

describe('disable, enable and revoke', () => {
  it('say what the key is now, and whether somebody used it', async () => {
    const { good, json } = await lab()
    await good('keys', 'create', '--name', 'x')
    expect(await good('keys', 'disable', 'x')).toMatch(/^x \(clv_live_.+\) is disabled\. It was never used\.\n$/)
    expect(await json('keys', 'disable', 'x')).toMatchObject({ status: 'disabled' })
    expect(await json('keys', 'enable', 'x')).toMatchObject({ status: 'active' })
    expect(await json('keys', 'revoke', 'x', '--reason', 'lost')).toMatchObject({
      status: 'revoked',
      revoked_reason: 'lost',
    })
  })

  it('leave a revoked key revoked', async () => {
    const { good, claviger } = await lab()
    await good('keys', 'create', '--name', 'x')
    await good('keys', 'revoke', 'x')
    expect(await claviger('keys', 'enable', 'x')).toEqual(refused(1, 'Issue a new one'))
    expect(await claviger('keys', 'disable', 'x')).toEqual(refused(1, 'off for good'))
    expect(await good('keys', 'revoke', 'x')).toContain('is revoked')
  })

  it('are in the audit under the command line', async () => {
    const { good, json } = await lab()
    await good('keys', 'create', '--name', 'x')
    await good('keys', 'disable', 'x')
    await good('keys', 'enable', 'x')
    await good('keys', 'revoke', 'x')
    await good('keys', 'delete', 'x')
    const lines = (await json('audit', 'list')) as { action: string; actor: { kind: string } }[]
    expect(lines.map(({ action, actor }) => `${action} ${actor.kind}`)).toEqual([
      'key.deleted cli',
      'key.revoked cli',
      'key.enabled cli',
      'key.disabled cli',
      'key.created cli',
      'repo.added cli',
      'mcp.added cli',
      'workspace.created cli',
    ])
  })
})

describe('keys delete', () => {
  it('asks for a second word about one that was used today', async () => {
    const shell = await lab()
    const { id } = await shell.json('keys', 'create', '--name', 'x')
    const use = { keyId: id, at: new Date('2026-06-01T12:00:00Z'), ip: '192.0.2.7', client: 'cursor', requests: 3 }
    await shell.inside((ctx) => ctx.store.uses.note([use]))
    shell.advance(DAY - 1)
    expect(await shell.claviger('keys', 'delete', 'x')).toEqual(
      refused(1, 'It was last used 2026-06-01T12:00:00.000Z from 192.0.2.7 by cursor. Revoke it instead, or add --yes'),
    )
    expect(await shell.json('keys', 'delete', 'x', '--yes')).toMatchObject({ deleted: { request_count: 3 } })
    expect(await shell.json('keys', 'list')).toEqual([])
  })

  it('asks nothing a day after its last use', async () => {
    const shell = await lab()
    const { id } = await shell.json('keys', 'create', '--name', 'x')
    const use = { keyId: id, at: new Date('2026-06-01T12:00:00Z'), ip: '192.0.2.7', client: null, requests: 1 }
    await shell.inside((ctx) => ctx.store.uses.note([use]))
    shell.advance(DAY)
    expect(await shell.good('keys', 'delete', 'x')).toMatch(/^x \(clv_live_.+\) is deleted\.\n$/)
  })

  it('deletes one that nobody uses', async () => {
    const { good, json, claviger } = await lab()
    await good('keys', 'create', '--name', 'x')
    expect(await json('keys', 'delete', 'x')).toMatchObject({ deleted: { name: 'x' } })
    expect(await claviger('keys', 'delete', 'x')).toEqual(refused(1, 'There is no key x'))
  })
})
