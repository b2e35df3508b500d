import { describe, expect, it } from 'vitest'
import { PASSWORD, start } from '../support/start.ts'
import { cookieIn, signInAs } from './forms.ts'

const WRONG = 'not the password at all'

it('signs in, and lets the cookie open the pages', async () => {
  const started = await start()
  const answer = await signInAs(started, 'Ana@Example.com ', PASSWORD)
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin'])
  const cookie = cookieIn(answer)!
  expect((await started.call('GET', '/admin/w/main/keys', { cookie })).status).toBe(200)
})

it('gives a cookie that no script and no other site can use', async () => {
  const started = await start()
  const [line] = (await signInAs(started, 'ana@example.com', PASSWORD)).headers.getSetCookie()
  expect(line).toMatch(/^claviger_session=clv_session_[0-9a-f]{64}; /)
  expect(line).toMatch(/; Path=\/; /)
  expect(line).toMatch(/; HttpOnly/)
  expect(line).toMatch(/; SameSite=Lax/)
  expect(line).not.toMatch(/Secure|Domain/i)
})

it('binds the cookie to the host behind https', async () => {
  const started = await start({
    env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1', CLAVIGER_PUBLIC_URL: 'https://keys.example.com' },
  })
  const headers = { 'x-forwarded-proto': 'https' }
  const answer = await signInAs(started, 'ana@example.com', PASSWORD, { headers })
  const [line] = answer.headers.getSetCookie()
  expect(line).toMatch(/^__Host-claviger_session=.*; Path=\/;.*; HttpOnly; Secure; SameSite=Lax$/)
  const bare = line!.split(';')[0]!.replace('__Host-', '')
  expect((await started.call('GET', '/admin/account', { cookie: bare, headers })).status).toBe(303)
  expect((await started.call('GET', '/admin/account', { cookie: `__Host-${bare}`, headers })).status).toBe(200)
})

it('keeps only a hash of what the cookie says', async () => {
  const started = await start()
  const token = cookieIn(await signInAs(started, 'ana@example.com', PASSWORD))!.split('=')[1]!
  const [session] = await started.ctx.store.sessions.ofUser(started.owner.id, started.ctx.now())
  expect(JSON.stringify(session)).not.toContain(token)
  expect(await started.ctx.store.sessions.byToken(token)).toBeNull()
  expect(started.logs.join('')).not.toContain(token)
})

it('answers a wrong password and an unknown account alike', async () => {
  const started = await start()
  const known = await signInAs(started, 'ana@example.com', WRONG)
  const unknown = await signInAs(started, 'nobody@example.com', WRONG)
  expect([known.status, unknown.status]).toEqual([401, 401])
  expect(known.headers.get('www-authenticate')).toBeNull()
  const page = await known.text()
  expect(page).toContain('do not fit together')
  expect(page).toContain('value="ana@example.com"')
  expect(page).not.toContain(WRONG)
  const plain = (html: string) => html.replace(/req_\w+|\w+@example\.com/g, '')
  expect(plain(await unknown.text())).toBe(plain(page))
})

it('sends on who is signed in already', async () => {
  const { call, person } = await start()
  const { cookie } = await person('member')
  const answer = await call('GET', '/admin/sign-in?next=/admin/account', { cookie })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin/account'])
})

it('comes back to the page that was asked for', async () => {
  const started = await start()
  const asked = await started.get('/admin/w/main/keys?q=ci')
  expect(asked.headers.get('location')).toBe('/admin/sign-in?next=%2Fadmin%2Fw%2Fmain%2Fkeys%3Fq%3Dci')
  const form = await (await started.get(asked.headers.get('location')!)).text()
  expect(form).toContain('name="next" value="/admin/w/main/keys?q=ci"')
  const answer = await signInAs(started, 'ana@example.com', PASSWORD, { next: '/admin/w/main/keys?q=ci' })
  expect(answer.headers.get('location')).toBe('/admin/w/main/keys?q=ci')
})

it.each([
  '//evil.example',
  '/\\evil.example',
  '/admin/..//evil.example',
  '/admin/%2e%2e//evil.example',
  '/admin/\\../\\/evil.example',
  '/%2f%2fevil.example',
  'https://evil.example/admin',
  'javascript:alert(1)',
  '/\t/evil.example',
  '\\\\evil.example',
  '/admin@evil.example',
  '/administrator',
  '/api/docs',
  'admin',
  '/admin/sign-in?next=/admin/sign-in',
])('never leads to %s', async (next) => {
  const started = await start()
  const answer = await signInAs(started, 'ana@example.com', PASSWORD, { next })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin'])
})

it('tells htmx and programs that nobody is signed in', async () => {
  const { call } = await start()
  const headers = { 'hx-request': 'true', 'hx-current-url': 'http://127.0.0.1/admin/w/main/keys?q=x' }
  const piece = await call('GET', '/admin/w/main/keys/new', { headers })
  expect(piece.status).toBe(401)
  expect(piece.headers.get('hx-redirect')).toBe('/admin/sign-in?next=%2Fadmin%2Fw%2Fmain%2Fkeys%3Fq%3Dx')
  const program = await call('GET', '/admin/account', { headers: { accept: 'application/json' } })
  expect(await program.json()).toMatchObject({ status: 401, code: 'unauthenticated' })
})

describe('a session', () => {
  const DAY = 86_400_000

  it('ends after a week without use', async () => {
    const { call, person, advance } = await start()
    const { cookie } = await person('member')
    advance(7 * DAY - 1)
    expect((await call('GET', '/admin/account', { cookie })).status).toBe(200)
    advance(7 * DAY)
    expect((await call('GET', '/admin/account', { cookie })).status).toBe(303)
  })

  it('ends after a month however much it is used', async () => {
    const { call, person, advance } = await start()
    const { cookie } = await person('member')
    for (let day = 5; day < 30; day += 5) {
      advance(5 * DAY)
      expect((await call('GET', '/admin/account', { cookie })).status).toBe(200)
    }
    advance(5 * DAY)
    expect((await call('GET', '/admin/account', { cookie })).status).toBe(303)
  })

  it('is over once signed out, and the cookie is taken back', async () => {
    const { call, person } = await start()
    const { cookie } = await person('member')
    const answer = await call('POST', '/admin/sign-out', { cookie, form: {} })
    expect(answer.headers.getSetCookie().find((line) => line.startsWith('claviger_session=;'))).toMatch(/1970/)
    expect((await call('GET', '/admin/account', { cookie })).status).toBe(303)
  })
})

describe('too many failures', () => {
  const MINUTE = 60_000

  it('stop an address at one account, for a quarter of an hour', async () => {
    const started = await start()
    for (let i = 0; i < 10; i++) expect((await signInAs(started, 'ana@example.com', WRONG)).status).toBe(401)
    started.advance(5 * MINUTE)
    const refused = await signInAs(started, ' ANA@example.com', PASSWORD)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '600'])
    expect(refused.headers.get('ratelimit')).toBe('"attempts";r=0;t=600')
    expect(refused.headers.get('ratelimit-policy')).toBe('"attempts";q=10;w=900')
    expect(await refused.text()).toContain('Try again in 10 minutes')
    started.advance(10 * MINUTE)
    expect((await signInAs(started, 'ana@example.com', PASSWORD)).status).toBe(303)
  })

  it('stop an address at thirty, whatever accounts it tries', async () => {
    const started = await start()
    for (let i = 0; i < 30; i++) expect((await signInAs(started, `p${i}@example.com`, WRONG)).status).toBe(401)
    expect((await signInAs(started, 'ana@example.com', PASSWORD)).status).toBe(429)
  })

  it('count no success', async () => {
    const started = await start()
    for (let i = 0; i < 40; i++) expect((await signInAs(started, 'ana@example.com', PASSWORD)).status).toBe(303)
  })

  it('lock nobody out who comes from elsewhere', async () => {
    const started = await start({ env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1' } })
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
    const guess = (address: string) => signInAs(started, 'ana@example.com', WRONG, from(address))
    for (let i = 0; i < 11; i++) await guess('198.51.100.7')
    expect((await guess('198.51.100.7')).status).toBe(429)
    for (let i = 0; i < 100; i++) expect((await guess(`198.51.101.${i}`)).status).toBe(401)
    expect((await signInAs(started, 'ana@example.com', PASSWORD, from('203.0.113.9'))).status).toBe(303)
  })

  it('leave fewer tries while many addresses guess together', async () => {
    const started = await start({ env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1' } })
    const guess = (address: string) =>
      signInAs(started, 'ana@example.com', WRONG, { headers: { 'x-forwarded-for': address } })
    for (let i = 0; i < 101; i++) await guess(`198.51.101.${i}`)
    const answers: number[] = []
    for (let i = 0; i < 4; i++) answers.push((await guess('203.0.113.9')).status)
    expect(answers).toEqual([401, 401, 401, 429])
  })

  it('count a whole IPv6 network as one address', async () => {
    const started = await start({ env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1' } })
    const guess = (address: string) =>
      signInAs(started, 'ana@example.com', WRONG, { headers: { 'x-forwarded-for': address } })
    for (let i = 0; i < 10; i++) await guess(`2001:db8:1:2::${i + 1}`)
    expect((await guess('2001:db8:1:2:ffff::1')).status).toBe(429)
    expect((await guess('2001:db8:1:3::1')).status).toBe(401)
  })
})
