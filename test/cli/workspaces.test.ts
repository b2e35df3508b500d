import { describe, expect, it } from 'vitest'
import { refused, terminal } from './terminal.ts'

describe('workspaces create', () => {
  it('makes a slug of the name', async () => {
    const shell = terminal()
    expect(await shell.json('workspaces', 'create', "Ana's  Team")).toMatchObject({ slug: 'ana-s-team' })
    expect(await shell.json('workspaces', 'create', 'Ana’s team')).toMatchObject({
      slug: expect.stringMatching(/^ana-s-team-[0-9a-f]{4}$/),
    })
    expect(await shell.good('workspaces', 'create', 'Lab')).toContain('members add EMAIL --role owner --workspace lab')
  })

  it('can have an owner from the start', async () => {
    const shell = terminal()
    await shell.user('bo@example.com')
    await shell.good('workspaces', 'create', 'Lab', '--owner', 'bo@example.com')
    expect(await shell.json('members', 'list')).toMatchObject([{ email: 'bo@example.com', role: 'owner' }])
  })

  it('refuses a name that is none, and an owner who is nobody', async () => {
    const { claviger } = terminal()
    expect(await claviger('workspaces', 'create')).toEqual(refused(2, 'Missing NAME'))
    expect(await claviger('workspaces', 'create', ' ')).toEqual(refused(2, '1 to 100 characters'))
    expect(await claviger('workspaces', 'create', 'Lab', '--owner', 'eve@example.com')).toEqual(
      refused(1, 'no account for eve@example.com'),
    )
  })
})

describe('workspaces rename', () => {
  it('keeps the slug', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    expect(await shell.json('workspaces', 'rename', 'Lab', 'Workshop')).toMatchObject({ slug: 'lab', name: 'Workshop' })
    expect(await shell.json('workspaces', 'list')).toMatchObject([{ slug: 'lab', name: 'Workshop', members: 0 }])
  })

  it('refuses an unknown workspace and an empty name', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    expect(await shell.claviger('workspaces', 'rename', 'lap', 'x')).toEqual(refused(1, 'There is no workspace lap'))
    expect(await shell.claviger('workspaces', 'rename', 'lab', '')).toEqual(refused(2, '1 to 100 characters'))
  })
})

describe('workspaces delete', () => {
  it('says what would go before it goes', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    await shell.good('keys', 'create', '--name', 'on')
    await shell.good('keys', 'create', '--name', 'off')
    await shell.good('keys', 'disable', 'off')
    expect(await shell.claviger('workspaces', 'delete', 'main')).toEqual(
      refused(1, '2 keys (1 active) and 1 member (ana@example.com). To do it, add --yes.'),
    )
    expect(await shell.json('workspaces', 'list')).toHaveLength(1)
  })

  it('takes keys and members with it, and leaves the audit', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    const { key } = await shell.json('keys', 'create', '--name', 'on')
    expect(await shell.json('workspaces', 'delete', 'main', '--yes')).toMatchObject({ deleted: { slug: 'main' } })
    expect(await shell.type(['keys', 'verify'], { stdin: key })).toMatchObject({ code: 1, out: 'unknown_key\n' })
    expect(await shell.json('audit', 'list', '--instance')).toMatchObject([{ action: 'workspace.deleted' }, {}, {}])
    expect(await shell.good('audit', 'verify')).toContain('whole')
  })

  it('refuses an unknown workspace', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    expect(await shell.claviger('workspaces', 'delete', 'lap', '--yes')).toEqual(refused(1, 'no workspace lap'))
  })
})

describe('--workspace', () => {
  it('may be left out while there is one', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    await shell.good('keys', 'list')
    await shell.good('workspaces', 'create', 'Shop')
    expect(await shell.claviger('keys', 'list')).toEqual(refused(2, '--workspace lab | shop'))
    await shell.good('keys', 'list', '--workspace', 'Shop')
  })

  it('takes a slug before a name, and a name that is one', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    await shell.good('workspaces', 'create', 'lab')
    await shell.good('keys', 'create', '--name', 'x', '--workspace', 'lab')
    expect(await shell.json('keys', 'list', '--workspace', 'Lab')).toMatchObject([{ name: 'x' }])
    await shell.good('workspaces', 'create', 'Lab')
    expect(await shell.claviger('keys', 'list', '--workspace', 'Lab')).toEqual(refused(1, 'use the slug'))
  })

  it('says how to make the first', async () => {
    const shell = terminal()
    await shell.user('bo@example.com')
    expect(await shell.claviger('keys', 'list')).toEqual(refused(1, 'workspaces create NAME'))
    expect(await shell.good('workspaces', 'list')).toContain('workspaces create NAME')
  })
})
