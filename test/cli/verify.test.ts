import { describe, expect, it } from 'vitest'
import { refused, type Terminal, terminal } from './terminal.ts'

async function issued(...argv: string[]): Promise<{ shell: Terminal; key: string; id: string }> {
  const shell = terminal()
  await shell.good('workspaces', 'create', 'Lab')
  return { shell, ...(await shell.json('keys', 'create', '--name', 'x', ...argv)) }
}

const verify = (shell: Terminal, stdin: string, ...argv: string[]) => shell.type(['keys', 'verify', ...argv], { stdin })

describe('keys verify', () => {
  it('accepts a good key from standard input, a file or a terminal', async () => {
    const { shell, key } = await issued()
    const valid = { code: 0, out: 'valid\n', err: '' }
    expect(await verify(shell, `  ${key}\n`)).toEqual(valid)
    expect(await verify(shell, key, '-')).toEqual(valid)
    expect(await verify(shell, key, '--key-file', '-')).toEqual(valid)
    expect(await verify(shell, '', '--key-file', shell.file('key', `${key}\n`))).toEqual(valid)
    const typed = await shell.type(['keys', 'verify'], { answers: [key] })
    expect(typed).toEqual({ ...valid, err: 'Key: ' })
  })

  it('prints whose key it is as data, and not the key', async () => {
    const { shell, key, id } = await issued('--env', 'test')
    const { out } = await verify(shell, key, '--json')
    expect(JSON.parse(out)).toMatchObject({ valid: true, code: 'ok', key: { id, environment: 'test' } })
    expect(out).not.toContain(key)
  })

  it.each([
    ['disabled_key', ['keys', 'disable', 'x']],
    ['revoked_key', ['keys', 'revoke', 'x']],
    ['unknown_key', ['keys', 'delete', 'x']],
    ['not_yet_valid', ['keys', 'edit', 'x', '--not-before', '2026-06-02']],
  ])('answers %s after %s', async (code, argv) => {
    const { shell, key } = await issued()
    await shell.good(...argv)
    expect(await verify(shell, key)).toMatchObject({
      code: 1,
      out: `${code}\n`,
      err: expect.stringMatching(/^.+\.\n$/),
    })
    const known = code === 'unknown_key' ? null : { name: 'x' }
    const { out } = await verify(shell, key, '--json')
    expect(JSON.parse(out)).toMatchObject({ valid: false, code, key: known })
  })

  it('answers expired_key when its time is over', async () => {
    const { shell, key } = await issued('--expires', '1d')
    shell.advance(86_400_000 - 1)
    expect(await verify(shell, key)).toMatchObject({ code: 0 })
    shell.advance(1)
    expect(await verify(shell, key)).toMatchObject({ code: 1, out: 'expired_key\n' })
  })

  it('answers malformed_key to a typing error, and repeats no part of it', async () => {
    const { shell, key } = await issued()
    const said = await verify(shell, key.slice(0, -1))
    expect(said).toMatchObject({ code: 1, out: 'malformed_key\n' })
    expect(said.err).not.toContain(key.slice(9, 20))
  })

  it('knows no key of another workspace when one is named', async () => {
    const { shell, key } = await issued()
    await shell.good('workspaces', 'create', 'Shop')
    expect(await verify(shell, key)).toMatchObject({ code: 0 })
    expect(await verify(shell, key, '--workspace', 'lab')).toMatchObject({ code: 0 })
    expect(await verify(shell, key, '--workspace', 'shop')).toMatchObject({ code: 1, out: 'unknown_key\n' })
    expect(await verify(shell, key, '--workspace', 'shed')).toEqual(refused(1, 'no workspace shed'))
  })

  it('refuses a key as an argument without repeating it', async () => {
    const { shell, key } = await issued()
    const said = await shell.claviger('keys', 'verify', key)
    expect(said).toEqual(refused(2, 'stands in the process list'))
    expect(said.err).not.toContain(key)
  })

  it('refuses no key, two sources and a file that is missing', async () => {
    const { shell, key } = await issued()
    expect(await verify(shell, '\n')).toEqual(refused(2, 'Standard input holds no key'))
    expect(await verify(shell, `${key}\n${key}\n`)).toEqual(refused(2, 'several lines'))
    expect(await verify(shell, key, '-', '--key-file', 'x')).toEqual(refused(2, 'not both'))
    expect(await verify(shell, '', '--key-file', '/no/such/file')).toEqual(refused(2, '(ENOENT)'))
    expect(await shell.type(['keys', 'verify'], { answers: [''] })).toMatchObject({ code: 2 })
  })
})

describe('keys verify for a use', () => {
  it.each([
    [[], 'valid'],
    [['--mcp', 'docs'], 'valid'],
    [['--mcp', 'wiki'], 'insufficient_scope'],
    [['--mcp', 'docs', '--tool', 'search'], 'valid'],
    [['--mcp', 'docs', '--tool', 'get_doc'], 'insufficient_scope'],
    [['--tool', 'search'], 'valid'],
    [['--scope', 'mcp:docs:search'], 'valid'],
    [['--scope', 'audit:read'], 'insufficient_scope'],
    [['--ip', '10.1.2.3'], 'valid'],
    [['--ip', '11.1.2.3'], 'ip_not_allowed'],
  ])('judges %j', async (argv, says) => {
    const { shell, key } = await issued('--scope', 'mcp:docs:search', '--ip', '10.0.0.0/8')
    const { code, out } = await verify(shell, key, ...argv)
    expect([code, out]).toEqual([says === 'valid' ? 0 : 1, `${says}\n`])
    const { out: data } = await verify(shell, key, ...argv, '--json')
    expect(JSON.parse(data)).toMatchObject({ valid: says === 'valid', code: says === 'valid' ? 'ok' : says })
  })

  it.each([
    ['--ip', 'home'],
    ['--scope', 'mcps:rea'],
  ])('refuses %s %s', async (...argv) => {
    const { shell, key } = await issued()
    expect(await verify(shell, key, ...argv)).toEqual(refused(2, argv[1]!))
  })
})
