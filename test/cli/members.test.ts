import { describe, expect, it } from 'vitest'
import { issue } from '../../src/core/keys/issuing.ts'
import { openInvitation } from '../../src/core/workspaces/members.ts'
import { userNamed } from '../../src/core/workspaces/people.ts'
import { workspaceNamed } from '../../src/core/workspaces/workspaces.ts'
import { refused, type Terminal, terminal } from './terminal.ts'

async function team(): Promise<Terminal> {
  const shell = terminal()
  await shell.user('ana@example.com', '--owner')
  await shell.user('bo@example.com')
  return shell
}

/** A key that this person issued on the pages. */
function keyOf(shell: Terminal, email: string, name: string): Promise<string> {
  return shell.inside(async (ctx) => {
    const user = await userNamed(ctx, email)
    const { id } = await workspaceNamed(ctx, 'main')
    const actor = { kind: 'user' as const, id: user.id, label: email, address: null, requestId: null }
    const { key } = await issue(ctx, { kind: 'person', actor, user, role: 'member' }, id, { name })
    return key.id
  })
}

describe('members add', () => {
  it('lets somebody in as a member, or in another role', async () => {
    const shell = await team()
    expect(await shell.good('members', 'add', 'BO@example.com')).toBe('bo@example.com is member of main.\n')
    await shell.user('cy@example.com')
    expect(await shell.json('members', 'add', '--email', 'cy@example.com', '--role', 'admin')).toMatchObject({
      email: 'cy@example.com',
      role: 'admin',
      joined_at: '2026-06-01T12:00:00.000Z',
    })
  })

  it('refuses a stranger, a member, an unknown role, and nobody', async () => {
    const shell = await team()
    const { claviger } = shell
    expect(await claviger('members', 'add', 'eve@example.com')).toEqual(refused(1, 'no account for eve@example.com'))
    expect(await claviger('members', 'add', 'ana@example.com')).toEqual(refused(1, 'is a member already'))
    expect(await claviger('members', 'add', 'bo@example.com', '--role', 'boss')).toEqual(refused(2, 'viewer, member'))
    expect(await claviger('members', 'add')).toEqual(refused(2, 'Say who'))
    expect(await claviger('members', 'add', 'bo@example.com', '--email', 'x@example.com')).toEqual(
      refused(2, 'too many'),
    )
  })
})

describe('members list', () => {
  it('shows who is in, and in which role', async () => {
    const shell = await team()
    expect(await shell.good('members', 'list')).toMatch(
      /^EMAIL .*\nana@example\.com +ana +owner +2026-06-01T12:00:00Z\n$/,
    )
    await shell.good('workspaces', 'create', 'Lab')
    expect(await shell.good('members', 'list', '--workspace', 'lab')).toContain('Nobody is in lab yet')
  })
})

describe('members set-role', () => {
  it('takes the role as an argument or an option', async () => {
    const shell = await team()
    await shell.good('members', 'add', 'bo@example.com')
    expect(await shell.json('members', 'set-role', 'bo@example.com', 'admin')).toMatchObject({ role: 'admin' })
    await shell.good('members', 'set-role', '--email', 'bo@example.com', '--role', 'viewer')
    expect(await shell.json('members', 'list')).toMatchObject([{}, { email: 'bo@example.com', role: 'viewer' }])
  })

  it('keeps one owner', async () => {
    const { claviger } = await team()
    expect(await claviger('members', 'set-role', 'ana@example.com', 'admin')).toEqual(refused(1, 'at least one owner'))
  })

  it('refuses one who is no member, and no role, two roles, a wrong one', async () => {
    const { claviger } = await team()
    const setRole = (...argv: string[]) => claviger('members', 'set-role', ...argv)
    expect(await setRole('bo@example.com', 'admin')).toEqual(refused(1, 'bo@example.com is no member of main'))
    expect(await setRole('ana@example.com')).toEqual(refused(2, 'Say which role'))
    expect(await setRole('ana@example.com', 'admin', '--role', 'owner')).toEqual(refused(2, 'too many'))
    expect(await setRole('ana@example.com', 'boss')).toEqual(refused(2, 'The role is one of'))
  })
})

describe('members remove', () => {
  it('disables their keys and lists them', async () => {
    const shell = await team()
    await shell.good('members', 'add', 'bo@example.com')
    const id = await keyOf(shell, 'bo@example.com', 'laptop')
    const gone = await keyOf(shell, 'bo@example.com', 'old')
    await shell.good('keys', 'revoke', gone)
    const said = await shell.good('members', 'remove', 'bo@example.com')
    expect(said).toContain('bo@example.com is no longer in main.')
    expect(said).toMatch(new RegExp(`^${id} +laptop +clv_live_`, 'm'))
    expect(said).not.toContain(gone)
    expect(await shell.json('keys', 'show', id)).toMatchObject({ status: 'disabled' })
  })

  it('prints them as data too', async () => {
    const shell = await team()
    await shell.good('members', 'add', 'bo@example.com')
    const id = await keyOf(shell, 'bo@example.com', 'laptop')
    expect(await shell.json('members', 'remove', 'bo@example.com')).toMatchObject({
      removed: { email: 'bo@example.com' },
      disabled_keys: [{ id, status: 'disabled' }],
    })
  })

  it('says so when there were none', async () => {
    const shell = await team()
    await shell.good('members', 'add', 'bo@example.com')
    expect(await shell.good('members', 'remove', 'bo@example.com')).toContain('no keys that were on')
  })

  it('refuses the last owner and one who is no member', async () => {
    const { claviger } = await team()
    expect(await claviger('members', 'remove', 'ana@example.com')).toEqual(refused(1, 'at least one owner'))
    expect(await claviger('members', 'remove', 'bo@example.com')).toEqual(refused(1, 'is no member of main'))
  })
})

describe('members invite', () => {
  it('prints a link that opens the invitation', async () => {
    const shell = await team()
    const said = await shell.claviger('members', 'invite', 'Cy@example.com', '--role', 'admin', '--port', '9000')
    const [, token] = /^http:\/\/127\.0\.0\.1:9000\/admin\/invitations\/(clv_invite_[0-9a-f]{64})\n$/.exec(said.out)!
    expect(said.err).toContain('For cy@example.com to join main as admin')
    expect(await shell.inside((ctx) => openInvitation(ctx, token!))).toMatchObject({
      email: 'cy@example.com',
      role: 'admin',
    })
  })

  it('is for anybody with the link when no address is named', async () => {
    const shell = await team()
    const made = await shell.json('members', 'invite', '--public-url', 'https://keys.example.com')
    expect(made).toMatchObject({ email: null, role: 'member', expires_at: '2026-06-08T12:00:00.000Z' })
    expect(made.url).toMatch(/^https:\/\/keys\.example\.com\/admin\/invitations\/clv_invite_/)
  })

  it('refuses what is no address, and an unknown role', async () => {
    const { claviger } = await team()
    expect(await claviger('members', 'invite', 'cy')).toEqual(refused(2, 'Write an e-mail address'))
    expect(await claviger('members', 'invite', '--role', 'boss')).toEqual(refused(2, 'The role is one of'))
  })

  it('can be listed, and withdrawn once', async () => {
    const shell = await team()
    const { id, url } = await shell.json('members', 'invite', 'cy@example.com')
    expect(await shell.good('members', 'invitations')).toMatch(new RegExp(`^${id} +cy@example.com +member`, 'm'))
    await shell.good('members', 'withdraw', id)
    await expect(shell.inside((ctx) => openInvitation(ctx, url.split('/').at(-1)))).rejects.toThrow('withdrawn')
    expect(await shell.json('members', 'invitations')).toEqual([])
    expect(await shell.claviger('members', 'withdraw', id)).toEqual(refused(1, 'gone already'))
  })
})
