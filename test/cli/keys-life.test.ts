import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { wellFormed } from '../../src/core/keys/format.ts'
import { refused, type Terminal, terminal } from './terminal.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function lab(): Promise<Terminal> {
  const shell = terminal()
  await shell.good('workspaces', 'create', 'Lab')
  await shell.good('keys', 'create', '--name', 'laptop')
  return shell
}

async function codeOf({ type }: Terminal, key: string): Promise<string> {
  return (await type(['keys', 'verify', '-'], { stdin: key })).out.trim()
}

describe('keys rotate', () => {
  it('prints the new key alone, and until when the old one works', async () => {
    const shell = await lab()
    const { code, out, err } = await shell.claviger('keys', 'rotate', 'laptop', '--overlap', '2h')
    expect([code, wellFormed(out.trimEnd())]).toEqual([0, true])
    expect(err).toMatch(
      /^laptop \(clv_live_.*\) is rotated; the key before works until 2026-06-01T14:00:00\.000Z\. .*\n$/,
    )
    expect(await shell.good('keys', 'show', 'laptop')).toMatch(
      /Rotation +The older key works until 2026-06-01T14:00:00\.000Z; it was never used\./,
    )
    expect(await shell.claviger('keys', 'rotate', 'laptop')).toEqual(refused(1, 'finish-rotation'))
    expect(await shell.good('keys', 'finish-rotation', 'laptop')).toMatch(/has one secret/)
    expect(await shell.good('keys', 'show', 'laptop')).not.toContain('Rotation')
  })

  it('ends the old key at once with --overlap 0', async () => {
    const shell = await lab()
    const { key: old } = await shell.json('keys', 'create', '--name', 'ci')
    const { key, rotation } = await shell.json('keys', 'rotate', 'ci', '--overlap', '0')
    expect([await codeOf(shell, old), await codeOf(shell, key), rotation]).toEqual(['revoked_key', 'valid', null])
  })

  it.each(['soon', '1y', '31d'])('refuses an overlap of %s', async (overlap) => {
    const shell = await lab()
    expect(await shell.claviger('keys', 'rotate', 'laptop', '--overlap', overlap)).toEqual(refused(2, /overlap/i))
  })
})

describe('keys impact', () => {
  it('tells who called in 24 hours', async () => {
    const shell = await lab()
    const { id, workspaceId } = await shell.inside(async (ctx) => {
      const [workspace] = await ctx.store.workspaces.list()
      return (await ctx.store.keys.named(workspace!.id, 'laptop'))[0]!
    })
    await shell.inside(async ({ store, now }) => {
      const line = {
        ...{ workspaceId, at: now(), requestId: 'req_1', keyId: id, mcp: 'docs', method: 'tools/call', tool: 'search' },
        ...{ environment: 'live' as const, outcome: 'ok' as const, status: 200, latencyMs: 1, upstreamMs: null },
        ...{ ip: '203.0.113.7', client: 'cursor 1' },
      }
      await store.activity.write([line, line])
      await store.uses.note([{ keyId: id, at: now(), ip: line.ip, client: line.client, requests: 2 }])
    })
    expect(await shell.json('keys', 'impact', 'laptop')).toEqual({
      calls_24h: 2,
      clients: [{ name: 'cursor 1', calls: 2 }],
      addresses: [{ ip: '203.0.113.7', calls: 2 }],
      last_used_at: '2026-06-01T12:00:00.000Z',
    })
    const told = await shell.good('keys', 'impact', 'laptop')
    for (const line of [/Calls in 24 hours +2/, /Client +cursor 1 \(2 calls\)/, /Address +203\.0\.113\.7 \(2 calls\)/])
      expect(told).toMatch(line)
    expect(await shell.claviger('keys', 'delete', 'laptop')).toEqual(refused(1, /by cursor 1\. .* add --yes/))
    expect(await shell.good('keys', 'delete', 'laptop', '--yes')).toMatch(/is deleted/)
  })
})

describe('keys import', () => {
  it('takes in one key by its SHA-256', async () => {
    const shell = await lab()
    const argv = ['--name', 'moved', '--sha256', sha256('tp_1'), '--hint', 'tp_…', '--env', 'test', '--expires', '30d']
    expect(await shell.good('keys', 'import', ...argv)).toBe('moved (tp_…) is imported.\n')
    expect(await shell.json('keys', 'show', 'moved')).toMatchObject({ environment: 'test', hint: 'tp_…' })
    expect(await codeOf(shell, 'tp_1')).toBe('valid')
    expect(await shell.claviger('keys', 'import', ...argv)).toEqual(refused(1, 'known to this server'))
  })

  const TABLE = [
    'name,sha256,hint,environment,scopes,mcps,ip_allow,quota_per_day,expires_at,description',
    `one,${sha256('tp_1')},tp_1…,,,,,,,`,
    `"two, of Ana",${sha256('tp_2')},"tp_""2""",test,mcp:docs:search mcp:wiki:*,"docs:search,get wiki",10.0.0.0/8,7,2027-01-01,"for\nthe CI"`,
    '',
  ].join('\n')

  it('takes in a table, once for each key, with what was typed for all', async () => {
    const shell = await lab()
    const file = shell.file('keys.csv', TABLE)
    expect(await shell.good('keys', 'import', '--file', file, '--expires', '30d', '--rate', '5')).toBe(
      '2 keys are imported.\n',
    )
    expect(await shell.json('keys', 'show', 'one')).toMatchObject({
      ...{ scopes: ['mcp:*'], environment: 'live', expires_at: '2026-07-01T12:00:00.000Z', rate_limit_per_minute: 5 },
    })
    expect(await shell.json('keys', 'show', 'two, of Ana')).toMatchObject({
      hint: 'tp_"2"',
      description: 'for\nthe CI',
      environment: 'test',
      scopes: ['mcp:docs:search', 'mcp:wiki:*'],
      mcp_access: {
        mode: 'selected',
        mcps: [
          { slug: 'docs', tools: ['search', 'get'] },
          { slug: 'wiki', tools: null },
        ],
      },
      ip_allow: ['10.0.0.0/8'],
      quota_per_day: 7,
      expires_at: '2027-01-01T23:59:59.999Z',
    })
    expect(await shell.good('keys', 'import', '--file', file)).toBe('0 keys are imported, 2 were known already.\n')
  })

  it.each([
    ['an array', (rows: object[]) => JSON.stringify(rows)],
    ['a line each', (rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n')],
  ])('takes in JSON, as %s', async (_what, write) => {
    const shell = await lab()
    const access = { mode: 'selected', mcps: [{ slug: 'docs' }] }
    const rows = [
      { name: 'one', sha256: sha256('tp_1'), scopes: ['mcp:docs:*'], mcp_access: access, allow_in_url: true },
      { name: 'two', sha256: sha256('tp_2'), hint: null, rate_limit_per_minute: 9, not_before: '2026-12-01' },
    ]
    const { out } = await shell.type(['keys', 'import', '--file', '-', '--json'], { stdin: write(rows) })
    expect(JSON.parse(out)).toMatchObject([
      { name: 'one', allow_in_url: true, mcp_access: { mode: 'selected', mcps: [{ slug: 'docs', tools: null }] } },
      { name: 'two', hint: 'imported', rate_limit_per_minute: 9, not_before: '2026-12-01T00:00:00.000Z' },
    ])
    expect([await codeOf(shell, 'tp_1'), await codeOf(shell, 'tp_2')]).toEqual(['valid', 'not_yet_valid'])
  })

  const ROW = (fields: object) => JSON.stringify([{ name: 'x', sha256: sha256('x_'), ...fields }])
  const TWICE = `name,sha256\none,${sha256('tp_1')}\ntwo,${sha256('tp_2')}\nthree,${sha256('tp_1').toUpperCase()}\n`

  it.each<[string, string, string | RegExp]>([
    ['no key', 'name,sha256\n', 'holds no key'],
    ['a field that is not known', `name,sha256,owner\nx,${sha256('x')},me\n`, '"owner" is not known'],
    ['a key without a name', `name,sha256\n,${sha256('x')}\n`, 'Key 1 of'],
    ['a date that is none', `name,sha256,expires_at\nx,${sha256('x')},soon\n`, 'is no date'],
    ['a SHA-256 that is none', 'name,sha256\nx,abc\n', '64 hexadecimal digits'],
    ['a past end', `[{"name":"x","sha256":"${sha256('x')}","expires_at":"2020-01-01"}]`, 'in the future'],
    ['a quote that stands alone', 'name,sha256\n"x,y\n', 'Row 2 is no CSV'],
    ['a row that is too long', 'name\nx,y\n', 'Row 2 has more cells'],
    ['broken JSON', '[{"name":', 'cannot be read'],
    ['a list of texts', '["x"]', 'cannot be read'],
    ['a name that is none', ROW({ name: {} }), 'name: {} is no text.'],
    ['a number that is none', ROW({ quota_per_day: true }), 'quota_per_day: true is no whole number.'],
    ['half a request', ROW({ rate_limit_per_minute: 1.5 }), 'rate_limit_per_minute: 1.5 is no whole number.'],
    ['a limit in words', `name,sha256,quota_per_day\nx,${sha256('x')},many\n`, '"many" is no whole number'],
    ['scopes that are none', ROW({ scopes: [7] }), 'scopes: 7 is no text.'],
    [
      'a text for a server',
      ROW({ mcp_access: { mode: 'selected', mcps: ['docs'] } }),
      'mcp_access: "docs" is no {"slug"',
    ],
    ['nothing for a server', ROW({ mcp_access: { mode: 'selected', mcps: [null] } }), 'mcp_access: null is no'],
    [
      'a server without a slug',
      ROW({ mcp_access: { mode: 'selected', mcps: [{}] } }),
      'mcp_access: undefined is no text',
    ],
    [
      'a text for tools',
      ROW({ mcp_access: { mode: 'selected', mcps: [{ slug: 'a', tools: 'b' }] } }),
      'no list of tools',
    ],
    ['a slip in its access', ROW({ mcp_access: { mode: 'all', mcp: [] } }), 'mcp_access: Write {"mode": "all"}'],
    ['a text for its access', ROW({ mcp_access: 'all' }), 'mcp_access: Write {"mode": "all"}'],
    ['a key that stands in it twice', TWICE, /Key 3 of .* has the same SHA-256 as key 1/],
    ['an environment that is none', `name,sha256,environment\nx,${sha256('x')},prod\n`, 'neither live nor test'],
  ])('refuses a file with %s before anything is imported', async (_what, text, says) => {
    const shell = await lab()
    const file = shell.file('keys', text)
    expect(await shell.claviger('keys', 'import', '--file', file)).toEqual(refused(2, says))
    expect(await shell.json('keys', 'list')).toHaveLength(1)
  })

  it('passes over a key only while it can work here', async () => {
    const shell = await lab()
    await shell.good('workspaces', 'create', 'Other')
    const table = (key: string) => shell.file('keys.csv', `name,sha256\nfirst,${sha256('tp_0')}\nx,${sha256(key)}\n`)
    const take = (key: string, workspace: string) =>
      shell.claviger('keys', 'import', '--file', table(key), '--workspace', workspace)
    const lab1 = ['--workspace', 'lab']
    for (const name of ['elsewhere', 'over', 'rotated', 'off'])
      await shell.good('keys', 'import', '--name', name, '--sha256', sha256(`tp_${name}`), ...lab1)
    expect(await take('tp_elsewhere', 'other')).toEqual(
      refused(1, /Key 2 of .*held by elsewhere \(imported\) of the workspace lab.*1 key is imported/),
    )
    await shell.good('keys', 'revoke', 'over', ...lab1)
    await shell.good('keys', 'rotate', 'rotated', '--overlap', '0', ...lab1)
    await shell.good('keys', 'disable', 'off', ...lab1)
    await shell.good('keys', 'delete', 'first', '--yes', '--workspace', 'other')
    expect(await take('tp_over', 'lab')).toEqual(refused(1, /Key 2 of .*over \(imported\) was revoked/))
    expect(await take('tp_rotated', 'lab')).toEqual(refused(1, /Key 2 of .*of rotated .* was rotated out/))
    expect(await take('tp_off', 'lab')).toMatchObject({ code: 0, out: '0 keys are imported, 2 were known already.\n' })
  })

  it('stops at a key that cannot be, says which, and goes on where it stopped', async () => {
    const shell = await lab()
    const rows = (scopes: string) =>
      `name,sha256,scopes\none,${sha256('1')},\ntwo,${sha256('2')},${scopes}\nthree,${sha256('3')},\n`
    const bad = shell.file('keys.csv', rows('read'))
    expect(await shell.claviger('keys', 'import', '--file', bad)).toEqual(
      refused(2, /Key 2 of .*"read" is no scope.* 1 key is imported\./),
    )
    const good = shell.file('keys.csv', rows('mcp:*'))
    expect(await shell.good('keys', 'import', '--file', good)).toBe('2 keys are imported, 1 was known already.\n')
  })

  it.each([
    [['--name', 'x'], '--sha256'],
    [['--file', 'x', '--name', 'y'], '--file'],
    [['--file', '/nowhere/keys.csv'], 'cannot be read'],
  ])('refuses %j', async (argv, says) => {
    const shell = await lab()
    expect(await shell.claviger('keys', 'import', ...argv)).toEqual(refused(2, says))
  })
})

describe('keys list', () => {
  it('is sorted and narrowed', async () => {
    const shell = await lab()
    await shell.good('keys', 'create', '--name', 'Anvil', '--type', 'unrestricted', '--mcp', 'docs')
    await shell.good('keys', 'create', '--name', 'zebra', '--mcp', 'wiki')
    const names = async (...argv: string[]) =>
      ((await shell.json('keys', 'list', ...argv)) as { name: string }[]).map(({ name }) => name)
    expect(await names('--sort', 'name')).toEqual(['Anvil', 'laptop', 'zebra'])
    expect(await names('--mcp', 'docs', '--sort', 'name')).toEqual(['Anvil', 'laptop'])
    expect(await names('--type', 'unrestricted')).toEqual(['Anvil'])
    expect(await shell.claviger('keys', 'list', '--sort', 'colour')).toEqual(refused(2, '--sort'))
  })
})
