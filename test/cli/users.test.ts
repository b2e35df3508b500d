import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { passwordFits } from '../../src/core/workspaces/password.ts'
import { signedInBy, signIn } from '../../src/core/workspaces/sign-in.ts'
import { PASSWORD, refused, type Terminal, terminal } from './terminal.ts'

const ANOTHER = 'quartz-meadow-violin-73'

async function fits(shell: Terminal, email: string, password: string): Promise<boolean> {
  const user = await shell.inside((ctx) => ctx.store.users.byEmail(email))
  return passwordFits(new Secret(password), user!.passwordHash)
}

describe('users create', () => {
  it('makes the owner and the first workspace', async () => {
    const shell = terminal()
    const said = await shell.user(
      'Ana@Example.com',
      '--owner',
      '--name',
      'Ana',
      '--workspace-name',
      'The Lab',
      '--json',
    )
    expect(said).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(said.out)).toMatchObject({
      email: 'ana@example.com',
      name: 'Ana',
      instance_owner: true,
      workspace: { slug: 'the-lab', name: 'The Lab' },
    })
    expect(await shell.json('members', 'list')).toMatchObject([{ email: 'ana@example.com', role: 'owner' }])
    expect(await fits(shell, 'ana@example.com', PASSWORD)).toBe(true)
  })

  it('makes one owner only', async () => {
    const shell = terminal()
    expect(await shell.user('ana@example.com', '--owner')).toMatchObject({ code: 0 })
    expect(await shell.user('bo@example.com', '--owner')).toEqual(refused(1, 'has an owner already'))
    expect((await shell.json('users', 'list')).length).toBe(1)
  })

  it('makes an account without a workspace', async () => {
    const shell = terminal()
    expect(await shell.user('bo@example.com')).toMatchObject({ code: 0, out: expect.stringContaining('members add') })
    expect(await shell.json('users', 'list')).toMatchObject([
      { email: 'bo@example.com', name: 'bo', instance_owner: false, memberships: [] },
    ])
  })

  it('takes the address as an argument too', async () => {
    const { type } = terminal()
    const said = await type(['users', 'create', 'bo@example.com', '--password-file', '-'], { stdin: PASSWORD })
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('bo@example.com') })
  })

  it('refuses a taken address, and an owner who had an account before', async () => {
    const shell = terminal()
    await shell.user('bo@example.com')
    expect(await shell.user('BO@example.com')).toEqual(refused(1, 'an account for bo@example.com already'))
    expect(await shell.user('bo@example.com', '--owner')).toEqual(refused(1, 'Use another address'))
  })

  it('refuses what is no address, no name, a weak password', async () => {
    const shell = terminal()
    expect(await shell.user('bo')).toEqual(refused(2, 'Write an e-mail address'))
    expect(await shell.user('bo@example.com', '--name', ' ')).toEqual(refused(2, '1 to 100 characters'))
    const weak = await shell.type(['users', 'create', 'bo@example.com', '--password-file', '-'], { stdin: 'short' })
    expect(weak).toEqual(refused(2, 'at least 12 characters'))
    expect(await shell.claviger('users', 'create')).toEqual(refused(2, 'Say who'))
    expect(await shell.user('bo@example.com', '--workspace-name', 'Lab')).toEqual(refused(2, 'goes with --owner'))
  })
})

describe('a password', () => {
  it('comes from a file, without the end of its line', async () => {
    const shell = terminal()
    const file = shell.file('password', `${PASSWORD}\r\n`)
    await shell.good('users', 'create', 'bo@example.com', '--password-file', file)
    expect(await fits(shell, 'bo@example.com', PASSWORD)).toBe(true)
  })

  it('is asked twice on a terminal, and shown nowhere', async () => {
    const { type } = terminal()
    const argv = ['users', 'create', 'bo@example.com']
    const said = await type(argv, { answers: [PASSWORD, PASSWORD] })
    expect(said).toMatchObject({ code: 0, err: 'Password: Once more: ' })
    expect(said.out + said.err).not.toContain(PASSWORD)
    const unlike = await type(['users', 'create', 'cy@example.com'], { answers: [PASSWORD, ANOTHER] })
    expect(unlike).toMatchObject({ code: 2, err: expect.stringContaining('differ') })
  })

  it('is never taken from an argument', async () => {
    const { claviger } = terminal()
    for (const argument of [['--password', PASSWORD], [`--password=${PASSWORD}`], [PASSWORD]]) {
      const said = await claviger('users', 'create', '--email', 'bo@example.com', ...argument)
      expect(said.code).toBe(2)
      expect(said.out + said.err).not.toContain(PASSWORD)
    }
  })

  it('is refused when the file is missing, empty or longer than a line', async () => {
    const shell = terminal()
    const create = (file: string) => shell.claviger('users', 'create', 'bo@example.com', '--password-file', file)
    expect(await create('/no/such/file')).toEqual(refused(2, '(ENOENT)'))
    expect(await create(shell.file('empty', '\n'))).toEqual(refused(2, 'holds no password'))
    expect(await create(shell.file('two', `${PASSWORD}\n${PASSWORD}\n`))).toEqual(refused(2, 'several lines'))
  })

  it('must come from somewhere in a script', async () => {
    const { claviger } = terminal()
    expect(await claviger('users', 'create', 'bo@example.com')).toEqual(refused(2, '--password-file'))
  })
})

describe('users reset-password', () => {
  it('replaces the password and ends the sessions', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    const visitor = { address: '127.0.0.1', userAgent: 'test', requestId: 'test' }
    const { token } = await shell.inside((ctx) => signIn(ctx, visitor, 'ana@example.com', new Secret(PASSWORD)))
    const said = await shell.type(['users', 'reset-password', 'ana@example.com', '--password-file', '-'], {
      stdin: ANOTHER,
    })
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('every session has ended') })
    expect(await shell.inside((ctx) => signedInBy(ctx, token.reveal()))).toBeNull()
    expect(await fits(shell, 'ana@example.com', PASSWORD)).toBe(false)
    expect(await fits(shell, 'ana@example.com', ANOTHER)).toBe(true)
  })

  it('refuses a stranger and a weak password', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    const reset = (email: string, stdin: string) =>
      shell.type(['users', 'reset-password', '--email', email, '--password-file', '-'], { stdin })
    expect(await reset('eve@example.com', ANOTHER)).toEqual(refused(1, 'There is no account for eve@example.com'))
    expect(await reset('ana@example.com', 'ana@example.com')).toEqual(refused(2, 'easy to guess'))
  })
})

describe('users remove', () => {
  it('removes an account that is a member nowhere', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    await shell.user('bo@example.com')
    expect(await shell.json('users', 'remove', 'bo@example.com')).toMatchObject({
      removed: { email: 'bo@example.com' },
    })
    expect(await shell.good('users', 'list')).not.toContain('bo@example.com')
  })

  it('refuses the instance owner, a member and a stranger', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    await shell.user('bo@example.com')
    await shell.good('members', 'add', 'bo@example.com')
    expect(await shell.claviger('users', 'remove', 'ana@example.com')).toEqual(refused(1, 'cannot be removed'))
    expect(await shell.claviger('users', 'remove', 'bo@example.com')).toEqual(refused(1, 'still a member of main'))
    expect(await shell.claviger('users', 'remove', 'eve@example.com')).toEqual(refused(1, 'no account'))
  })
})

describe('users list', () => {
  it('shows accounts, their workspaces, and no hash', async () => {
    const shell = terminal()
    await shell.user('ana@example.com', '--owner')
    const out = await shell.good('users', 'list')
    expect(out).toMatch(
      /^EMAIL +NAME +INSTANCE +WORKSPACES +CREATED\nana@example\.com +ana +owner +main \(owner\) +2026-06-01T12:00:00Z\n$/,
    )
    expect(JSON.stringify(await shell.json('users', 'list'))).not.toContain('argon2')
  })

  it('says how to begin while there is none', async () => {
    const shell = terminal()
    await shell.good('workspaces', 'create', 'Lab')
    expect(await shell.good('users', 'list')).toContain('users create --owner')
  })
})
