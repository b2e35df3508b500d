import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { jsonOf } from '../support/json.ts'
import { modern, said } from '../support/mcp.ts'
import { command, finished, launch, serving } from '../support/process.ts'
import { PASSWORD, terminal } from './terminal.ts'

async function running() {
  const shell = terminal()
  await shell.user('ana@example.com', '--owner')
  const { origin } = await serving(shell.dataDir)
  const authorization = (key: string) => ({ authorization: `Bearer ${key}` })
  return {
    ...shell,
    /** 200, or the code of the refusal. */
    async whoami(key: string): Promise<unknown> {
      const answer = await fetch(`${origin}/api/v1/whoami`, { headers: authorization(key) })
      return answer.ok ? 200 : (await jsonOf(answer)).code
    },
    async mcp(key: string): Promise<unknown> {
      const { headers, body } = modern('tools/list')
      const sent = { ...headers, ...authorization(key), 'content-type': 'application/json' }
      const answer = await fetch(`${origin}/mcp`, { method: 'POST', headers: sent, body: JSON.stringify(body) })
      const { result, error } = await said(answer)
      return result ? 200 : error?.data?.code
    },
  }
}

describe('a running server', () => {
  it('obeys the command line on its very next request', async () => {
    const { json, good, dataDir, whoami, mcp } = await running()
    const { id, key } = JSON.parse((await command(dataDir, 'keys', 'create', '--name', 'x', '--json')).out)
    const expectBoth = async (answer: unknown) => {
      expect(await whoami(key)).toBe(answer)
      expect(await mcp(key)).toBe(answer)
    }
    await expectBoth(200)
    expect(await command(dataDir, 'keys', 'disable', id)).toMatchObject({ code: 0, err: '' })
    await expectBoth('disabled_key')
    await good('keys', 'enable', id)
    await expectBoth(200)
    await good('keys', 'edit', id, '--ip', '192.0.2.1')
    await expectBoth('ip_not_allowed')
    await good('keys', 'edit', id, '--ip', 'any')
    await expectBoth(200)
    expect(await command(dataDir, 'keys', 'revoke', id)).toMatchObject({ code: 0 })
    await expectBoth('revoked_key')
    await good('keys', 'delete', id, '--yes')
    await expectBoth('unknown_key')
    expect(await json('audit', 'verify')).toMatchObject({ ok: true })
  })

  it('refuses every key of a workspace that was deleted', async () => {
    const { json, good, whoami } = await running()
    await good('workspaces', 'create', 'Lab')
    const { key } = await json('keys', 'create', '--name', 'x', '--workspace', 'lab')
    expect(await whoami(key)).toBe(200)
    await good('workspaces', 'delete', 'lab', '--yes')
    expect(await whoami(key)).toBe('unknown_key')
  })

  it('lets through what was created a moment ago, from many commands at once', async () => {
    const { json, dataDir, whoami } = await running()
    const made = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => command(dataDir, 'keys', 'create', '--name', name)),
    )
    for (const { out } of made) expect(await whoami(out.trimEnd())).toBe(200)
    expect(await json('keys', 'list')).toHaveLength(4)
  })
})

describe('a process', () => {
  it('exits with 0, 1 and 2', async () => {
    const { dataDir, good } = terminal()
    await good('workspaces', 'create', 'Lab')
    const [fine, none, wrong] = await Promise.all([
      command(dataDir, 'keys', 'list', '--json'),
      command(dataDir, 'keys', 'show', 'nobody'),
      command(dataDir, 'keys', 'list', '--status', 'odd'),
    ])
    expect(fine).toEqual({ code: 0, out: '[]\n', err: '' })
    expect(none).toEqual({ code: 1, out: '', err: 'There is no key nobody in this workspace.\n' })
    expect(wrong).toMatchObject({ code: 2, out: '' })
  })

  it('shows no password, no key and no secret in the process list', async () => {
    const { dataDir, user, json } = terminal()
    await user('ana@example.com', '--owner')
    const { key } = await json('keys', 'create', '--name', 'x')
    const secret = readFileSync(`${dataDir}/secret`, 'utf8').trim()
    const { server } = await serving(dataDir)
    const creating = launch(dataDir, ['users', 'create', 'bo@example.com', '--password-file', '-'])
    const verifying = launch(dataDir, ['keys', 'verify'])
    creating.stdin.write(PASSWORD)
    verifying.stdin.write(key)
    await Promise.all([creating.stdin.flush(), verifying.stdin.flush()]) // both have read it and wait for the end
    const listed = [server, creating, verifying].map(({ pid }) =>
      ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8')).join('\n'),
    )
    expect(listed[0]).toContain('serve')
    for (const hidden of [PASSWORD, key, secret]) expect(listed.join('\n')).not.toContain(hidden)
    creating.stdin.end()
    verifying.stdin.end()
    expect(await finished(creating)).toMatchObject({ code: 0 })
    expect(await finished(verifying)).toEqual({ code: 0, out: 'valid\n', err: '' })
  })
})
