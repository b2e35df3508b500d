/** The admin's pages over made-up data: `bun scripts/styleguide.ts [--serve] [page…]` photographs them, or serves them to be worked on. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Eta } from 'eta'
import { connectCard } from '../src/admin/connect-card.ts'
import type { Door } from '../src/admin/door.ts'
import type { Inside } from '../src/admin/entrance.ts'
import { launchBrowser } from '../test/support/browser.ts'

const root = join(import.meta.dirname, '..')
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const now = new Date('2026-11-21T09:30:00Z')
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000)
const days = (count: number) => new Date(now.getTime() + count * 86_400_000)
const base = '/admin/w/acme'
const fullKey = 'clv_live_Ab3dEf9hKq2LmN8pRs5TuV7wXy1Za4BcD6eF0gHiJk3x7Qz9W'

const NAV = ['Keys', 'MCPs', 'Activity', 'Usage', 'Members', 'Audit', 'Settings']
const shell = (current: string) => ({
  asset: (name: string) => `/static/${name}?v=dev`,
  base,
  now,
  version: '0.1.0',
  requestId: 'req_01KAJ5YQ8W3M',
  user: { email: 'ana@example.com', name: 'Ana Ribeiro' },
  workspace: { slug: 'acme', name: 'Acme Research' },
  workspaces: [
    { slug: 'acme', name: 'Acme Research', current: true },
    { slug: 'home', name: 'Home lab', current: false },
  ],
  newWorkspaceHref: '/admin/workspaces/new',
  nav: NAV.map((label) => ({ label, href: `${base}/${label.toLowerCase()}`, current: label === current })),
  flash: null as { kind: string; text: string } | null,
})

const key = (id: string, name: string, more: object = {}) => ({
  id,
  name,
  hint: `clv_live_${id}Ef9h…x7Qz`,
  description: null,
  environment: 'live',
  type: 'restricted',
  status: 'active',
  scopes: ['mcp:*'],
  allowInUrl: false,
  ipAllow: [] as string[],
  notBefore: null,
  rateLimitPerMinute: 600,
  quotaPerDay: null,
  requestCount: 18_204,
  createdAt: ago(60 * 24 * 12),
  createdBy: { kind: 'user', id: 'usr_1', label: 'ana@example.com' },
  lastUsedAt: ago(3),
  lastUsedIp: '203.0.113.7',
  lastUsedClient: 'claude-code 2.1.4',
  expiresAt: days(78),
  disabledAt: null,
  overlapEndsAt: null,
  oldLastUsedAt: null,
  revokedAt: null,
  revokedReason: null,
  mayChange: true,
  mayRotate: true,
  ...more,
})

const laptop = key('Ab3d', 'Claude Code, Ana’s laptop', {
  description: 'The editor on the blue laptop. Reads the manual and the wiki; writes nothing.',
  ipAllow: ['203.0.113.0/24', '2001:db8::/32'],
  quotaPerDay: 5000,
})
const unused = { lastUsedAt: null, lastUsedIp: null, lastUsedClient: null, requestCount: 0 }
const sections = [
  {
    id: 'enabled',
    title: 'Enabled',
    total: 5,
    keys: [
      laptop,
      key('Kq2L', 'Nightly report', {
        lastUsedClient: null,
        overlapEndsAt: days(1),
        mayRotate: false,
        lastUsedAt: ago(400),
        expiresAt: days(4),
        createdAt: ago(60 * 24 * 86),
      }),
      key('mN8p', 'Cursor', { environment: 'test', hint: 'clv_test_mN8pRs5T…9W2k', type: 'unrestricted' }),
      key('Rs5T', 'ChatGPT connector for the support team in Lisbon and Porto', { expiresAt: null, mayChange: false }),
      key('uV7w', 'Launch day', { status: 'scheduled', notBefore: days(9), ...unused }),
    ],
  },
  {
    id: 'disabled',
    title: 'Disabled',
    total: 1,
    keys: [key('Xy1Z', 'Contractor', { status: 'disabled', lastUsedAt: ago(60 * 24 * 9), expiresAt: null })],
  },
  {
    id: 'over',
    title: 'Expired and revoked',
    total: 2,
    keys: [
      key('a4Bc', 'Trial', { status: 'expired', mayRotate: false, expiresAt: days(-3), lastUsedAt: ago(60 * 24 * 4) }),
      key('D6eF', 'Old CI', {
        status: 'revoked',
        revokedReason: 'leaked',
        revokedAt: ago(9000),
        lastUsedAt: ago(60 * 24 * 90),
      }),
    ],
  },
]

const form = {
  name: '',
  description: '',
  environment: 'live',
  type: 'restricted',
  scopes: ['mcp:*'],
  moreScopes: '',
  mcpAccess: 'all',
  mcps: [] as string[],
  tools: [] as string[],
  toolsOf: {},
  expiresAt: '90d',
  expiresOn: '',
  allowInUrl: false,
  ipAllow: '',
  notBefore: '',
  rateLimitPerMinute: 600,
  quotaPerDay: '',
}
const offers = {
  expiries: ['30', '90', '365']
    .map((days) => ({ value: `${days}d`, label: `${days} days` }))
    .concat({ value: 'never', label: 'Never' }),
  keys: { used: 3, limit: 5 },
  scopes: [
    {
      title: 'Calling MCP servers',
      items: [
        { value: 'mcp:*', hint: 'Every tool, prompt and resource of the MCP servers chosen below.', recommended: true },
        { value: 'mcp:docs:*', hint: 'Everything of docs, and nothing else.' },
      ],
    },
    {
      title: 'Managing this workspace',
      management: true,
      items: [
        { value: 'repo:read', hint: 'Read documentation repos and their files.' },
        { value: 'keys:read', hint: 'List keys and check the keys of your customers.' },
        { value: 'keys:write', hint: 'Issue, change and revoke keys within its own powers.' },
        { value: 'usage:read', hint: 'Read usage, activity and explanations of refusals.' },
      ],
    },
  ],
  mcps: [
    { slug: 'docs', name: 'Documentation', hasTest: true, tools: ['search', 'get_doc', 'list_repos'] },
    { slug: 'github', name: 'GitHub', hasTest: false, tools: ['create_issue', 'list_pull_requests', 'search_code'] },
    { slug: 'wiki', name: 'Wiki', hasTest: true, tools: [] },
  ],
}
const impact = {
  calls: 1284,
  usedWithinADay: true,
  lastUsedAt: ago(3),
  clients: [
    { name: 'claude-code 2.1.4', calls: 1201 },
    { name: 'curl 8.5', calls: 83 },
  ],
  addresses: [
    { ip: '203.0.113.7', calls: 1270 },
    { ip: '2001:db8::17', calls: 14 },
  ],
}
const connect = (more: object) =>
  connectCard(
    {
      ctx: { now: () => now, store: { keys: { named: async () => [] } } },
      publicUrl: new URL('https://keys.example.com'),
    } as unknown as Door,
    {
      base,
      workspace: { id: 'wsp' },
      caller: { kind: 'person', role: 'owner' },
      person: { user: { name: 'Ana', email: 'ana@example.com' } },
    } as unknown as Inside,
    { slug: null, ...more },
  )
const member = (userId: string, name: string, role: string, more: object = {}) => ({
  userId,
  name,
  email: `${userId}@example.com`,
  role,
  joinedAt: ago(60 * 24 * 40),
  mayChange: true,
  ...more,
})
const roles = [
  { value: 'viewer', label: 'Viewer', hint: 'Sees keys, MCPs and usage.' },
  { value: 'member', label: 'Member', hint: 'Also issues and revokes their own keys.' },
  { value: 'admin', label: 'Admin', hint: 'Also all keys, MCPs over HTTP, audit and members.' },
  { value: 'owner', label: 'Owner', hint: 'Also makes owners and deletes the workspace.' },
]
const question = (act: string, verb: string) => ({
  act,
  question: `${verb} ${laptop.name}?`,
  submit: `${verb} key`,
  after: 'Its next request is refused and its open streams end.',
  key: laptop,
  impact,
})
const overlaps = [
  { value: '0', label: 'Not at all' },
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '24 hours' },
]
const rotating = { ...laptop, overlapEndsAt: days(1), oldLastUsedAt: ago(3) }
const signals = [
  {
    state: 'waiting',
    title: 'Waiting for the first call…',
    text: 'Paste the command, then ask your client something.',
  },
  {
    state: 'quiet',
    title: 'Still nothing',
    advice: [
      'Was the client restarted after the command?',
      'Can it reach https://keys.example.com? Try the curl line above.',
    ],
  },
  {
    state: 'green',
    title: 'Claude Code 2.1.4 is through',
    text: 'It listed 3 tools of docs. It may call search, get_doc and list_repos.',
    link: { href: '#', label: 'To its activity' },
  },
  {
    state: 'refused',
    title: 'It was refused: malformed_key',
    text: 'The key was cut off when it was copied. Copy the whole command again.',
  },
]

const ok = { kind: 'good', text: 'OK', why: null }
const call = (minutes: number, mcp: string | null, tool: string | null, outcome: object = ok) => ({
  at: ago(minutes),
  requestId: 'req_01KAJ5YQ8W3M',
  mcp,
  tool,
  method: tool ? 'tools/call' : 'initialize',
  outcome,
  client: 'claude-code 2.1.4',
  ip: '203.0.113.7',
  latencyMs: 12,
})
const activity = {
  calls: [
    call(3, 'docs', 'search'),
    call(4, 'docs', 'get_doc', {
      kind: 'warn',
      text: 'tool_error',
      why: 'The tool was called, and answered with an error of its own.',
    }),
    call(61, 'github', 'create_issue', {
      kind: 'bad',
      text: 'tool_not_permitted',
      why: 'Its MCP access does not include this tool, or there is none of this name.',
    }),
    call(62, null, null),
  ],
  newest: null,
  older: '?calls=17#activity',
}
const none = { calls: [], newest: null, older: null }
const history = [
  { at: ago(60 * 24 * 2), who: 'bo@example.com', what: 'Daily limit set to 5,000' },
  { at: ago(60 * 24 * 12), who: 'ana@example.com', what: 'Issued' },
]
const may = [
  'Call search and get_doc of docs.',
  'Call every tool of wiki, also those added later.',
  'Be used from 203.0.113.0/24 and 2001:db8::/32.',
]

const GONE = { code: 'not_found', message: 'There is no such key in this workspace.' }

type Page = { view: string; data: object }
const page = (view: string, current: string, data: object): Page => ({ view, data: { ...shell(current), ...data } })
const list = {
  mayIssue: true,
  mayImport: true,
  some: true,
  found: 8,
  asked: { q: '', environment: '', type: '', mine: false, section: '', sort: '' },
  tabs: {
    label: 'Keys',
    links: [
      { href: '#', label: 'All', count: 8, current: true },
      ...sections.map(({ title, total }) => ({ href: '#', label: title, count: total })),
    ],
  },
  heads: ['Key', 'Environment', 'Type', 'Created', 'Last used', 'Expires', 'Status'].map((label, at) => ({
    name: label,
    label,
    href: [0, 3, 4, 5].includes(at) ? '#' : undefined,
    sorted: at === 3 ? 'descending' : undefined,
    minor: at === 2 || at === 3,
  })),
  orders: [{ value: '', label: 'Newest first' }],
  everything: '#',
  sections,
}
const wrongForm = {
  ...form,
  name: 'Deploy bot',
  environment: 'test',
  type: 'unrestricted',
  mcpAccess: 'selected',
  mcps: ['docs'],
  tools: ['docs:search'],
  expiresAt: 'date',
  expiresOn: '2026-01-01',
  allowInUrl: true,
  ipAllow: '10.0.0.0/8\n300.1.1.1',
}
const PAGES: Record<string, Page> = {
  parts: page('styleguide', 'Keys', {
    fullKey,
    signals,
    times: { past: ago(3), soon: days(4), old: ago(60 * 24 * 400) },
  }),
  'sign-in': page('sign-in', '', { email: '', next: '', errors: [] }),
  'sign-in-wrong': page('sign-in', '', {
    email: 'ana@example.com',
    next: '',
    errors: [{ message: 'That e-mail and password do not belong together.' }],
  }),
  setup: page('setup', '', {
    form: { email: '', name: '', workspace: '' },
    errors: [],
    action: '/admin/setup?token=x',
  }),
  'setup-wrong': page('setup', '', {
    form: { email: 'ana@example', name: 'Ana Ribeiro', workspace: 'Acme Research' },
    action: '/admin/setup?token=x',
    errors: [
      { field: 'email', message: 'Write an e-mail address such as ana@example.com.' },
      { field: 'password', message: 'This password is easy to guess. Add a word or two.' },
    ],
  }),
  'not-set-up': page('not-set-up', '', {}),
  'setup-spent': page('not-set-up', '', { expired: true }),
  error: page('errors/error', '', GONE),
  'error-ours': page('errors/error', '', { code: 'internal_error', message: 'Something broke on our side.' }),
  keys: page('keys/index', 'Keys', {
    ...list,
    flash: { kind: 'good', text: 'Old CI is revoked. Its next request is refused.' },
    pagination: { next: '?cursor=x', text: '1–8 of 1,204' },
  }),
  'keys-empty': page('keys/index', 'Keys', { ...list, some: false, sections: [] }),
  'keys-none-found': page('keys/index', 'Keys', {
    ...list,
    asked: { ...list.asked, q: 'zzz', environment: 'test' },
    found: 0,
    sections: [],
  }),
  'key-new': page('keys/new', 'Keys', { form, offers, errors: [] }),
  'key-new-wrong': page('keys/new', 'Keys', {
    form: wrongForm,
    offers,
    errors: [
      { field: 'expires_at', message: 'The expiry must be in the future.' },
      { field: 'ip_allow', message: '“300.1.1.1” is no address. Write one such as 203.0.113.7 or 10.0.0.0/8.' },
    ],
  }),
  'key-edit': page('keys/edit', 'Keys', {
    form: { ...form, name: laptop.name, expiresAt: 'kept', mcpAccess: 'selected', mcps: ['docs', 'wiki'] },
    offers,
    errors: [],
    editing: { ...laptop, revision: 3 },
  }),
  'keys-import': page('keys/import', 'Keys', {
    form: { ...form, expiresAt: 'never' },
    offers,
    pasted: '',
    imported: 2,
    errors: [{ field: 'keys', message: 'Nightly report: A key with this SHA-256 is known to this server.' }],
  }),
  'key-issued': page('keys/issued', 'Keys', {
    key: laptop,
    fullKey,
    connect: await connect({ issued: { key: laptop, fullKey } }),
    signal: signals[0],
    may,
    mayNot: ['Call anything else.'],
  }),
  connect: page('connect/index', 'Keys', { connect: await connect({ like: laptop }) }),
  'first-run': page('connect/first', 'Keys', { connect: await connect({ first: true }) }),
  key: page('keys/show', 'Keys', {
    key: laptop,
    may,
    mayNot: ['Nothing else: no other MCP, no management.'],
    activity,
    callers: impact,
    history,
  }),
  'key-revoked': page('keys/show', 'Keys', {
    key: { ...laptop, status: 'revoked', revokedReason: 'leaked' },
    may,
    activity: none,
    mayNot: [],
    callers: { calls: 0, clients: [], addresses: [] },
    history,
  }),
  'key-rotating': page('keys/show', 'Keys', {
    key: rotating,
    may,
    mayNot: [],
    activity: none,
    callers: impact,
    history,
  }),
  'key-rotate': page('keys/rotate', 'Keys', {
    key: laptop,
    callers: impact,
    overlap: '0',
    overlaps,
    once: 'x',
    errors: [],
  }),
  'key-finish': page('keys/confirm', 'Keys', {
    ...question('finish-rotation', 'Finish the rotation of'),
    submit: 'Finish now',
    key: rotating,
  }),
  'key-renaming': page('keys/show', 'Keys', {
    key: laptop,
    may,
    mayNot: [],
    activity,
    callers: impact,
    history,
    renaming: { value: laptop.name },
  }),
  'key-disable': page('keys/confirm', 'Keys', question('disable', 'Disable')),
  'key-revoke': page('keys/confirm', 'Keys', {
    ...question('revoke', 'Revoke'),
    reason: { chosen: 'other', other: 'The laptop was lost' },
  }),
  'key-delete': page('keys/confirm', 'Keys', question('delete', 'Delete')),
  members: page('members/index', 'Members', {
    mayChange: true,
    roles,
    members: [
      member('ana', 'Ana Ribeiro', 'owner', { you: true, mayChange: false }),
      member('bo', 'Bo Lindqvist', 'admin'),
      member('chi', 'Chi Nguyen', 'member'),
    ],
    invitations: [{ id: 'inv_1', email: 'dee@example.com', role: 'member', createdBy: 'Bo', expiresAt: days(6) }],
    invite: { email: '', role: 'member', errors: [] },
    link: 'https://keys.example.com/admin/invitations/clvi_8Jd0sLq2mXbV4nR7tYw1zPa5cEf9hKuG3',
  }),
  profile: page('account/profile', '', {
    form: { name: 'Ana Ribeiro', email: 'ana@example.com' },
    errors: {
      password: [{ field: 'current_password', message: 'That is not your current password.' }],
    },
    sessions: [
      { id: 's1', userAgent: 'Firefox on Linux', address: '203.0.113.7', lastSeenAt: ago(0), current: true },
      { id: 's2', userAgent: 'Safari on iPhone', address: '2001:db8::17', lastSeenAt: ago(60 * 30) },
    ],
  }),
}

/** What htmx asks for: the piece alone, as the server will answer. */
const PIECES: Record<string, Page> = {
  [`${base}/keys/new`]: { view: 'keys/form', data: PAGES['key-new']!.data },
  [`POST ${base}/keys`]: { view: 'keys/issued-panel', data: PAGES['key-issued']!.data },
  [`${base}/keys`]: { view: 'keys/list', data: { ...PAGES.keys!.data, sections: sections.slice(1), pagination: null } },
  [`${base}/keys/Ab3d/revoke`]: { view: 'keys/confirm-panel', data: PAGES['key-revoke']!.data },
  [`${base}/keys/Ab3d/rename`]: {
    view: 'keys/row',
    data: { ...shell('Keys'), key: laptop, renaming: { value: laptop.name } },
  },
  [`${base}/keys/Ab3d/row`]: { view: 'keys/row', data: { ...shell('Keys'), key: laptop } },
  [`POST ${base}/keys/Xy1Z/enable`]: {
    view: 'keys/row',
    data: { ...shell('Keys'), key: key('Xy1Z', 'Contractor', { expiresAt: null }) },
  },
}

const eta = new Eta({ views: join(root, 'views'), cache: false, autoTrim: false })
const TYPES: Record<string, string> = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' }

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch(request) {
    const { pathname } = new URL(request.url)
    const file = /^\/static\/([a-z.-]+)$/.exec(pathname)?.[1]
    if (file && readdirSync(join(root, 'static')).includes(file))
      return new Response(readFileSync(join(root, 'static', file)), {
        headers: { 'Content-Type': TYPES[file.split('.').at(-1)!]! },
      })
    const piece = PIECES[request.method === 'POST' ? `POST ${pathname}` : pathname]
    const asked = request.headers.get('hx-request') ? piece : PAGES[pathname.slice(1)]
    if (!asked && request.headers.get('hx-request'))
      return new Response(eta.render('/errors/error', { ...shell(''), ...GONE, fragment: true }), {
        status: 404,
        headers: { 'Content-Type': 'text/html', 'HX-Retarget': '#flash', 'HX-Reswap': 'innerHTML' },
      })
    if (!asked) return new Response(Object.keys(PAGES).join('\n'), { status: pathname === '/' ? 200 : 404 })
    const html = eta.render(`/${asked.view}`, asked.data)
    return new Response(html, {
      headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY },
    })
  },
})
const origin = `http://127.0.0.1:${server.port}`

/** Text whose contrast misses WCAG 2.2 AA, found in the page itself. Disabled controls are exempt there. */
const TOO_FAINT = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const paint = (colours) => {
    for (const colour of colours) {
      canvas.fillStyle = colour
      canvas.fillRect(0, 0, 1, 1)
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
  const grounds = (element) =>
    element ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : ['#fff']
  const exempt = '.unseen, [aria-disabled], :disabled, :has(> :disabled), svg, noscript'
  const found = []
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement
    const text = walk.currentNode.data.trim()
    if (!text || !element.checkVisibility() || element.closest(exempt)) continue
    const style = getComputedStyle(element)
    const ground = grounds(element)
    const measured = ratio(light(paint(ground)), light(paint([...ground, style.color])))
    if (measured < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) found.push({ ratio: measured, text })
  }
  return found
})()`

const asked = process.argv.slice(2)
if (asked.includes('--serve')) console.log(`${origin}/${Object.keys(PAGES)[0]}`)
else {
  await photograph(asked)
  await server.stop(true)
  process.exit(0)
}

async function photograph(names: string[]): Promise<void> {
  const folder = process.env.STYLEGUIDE_DIR ?? mkdtempSync(join(tmpdir(), 'claviger-styleguide-'))
  const browser = await launchBrowser()
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 390]) {
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme })
      const tab = await context.newPage()
      tab.on('console', (line) => line.type() === 'error' && console.log(`${tab.url()}: ${line.text()}`))
      tab.on('pageerror', (error) => console.log(`${tab.url()}: ${error.message}`))
      for (const name of names.length ? names : Object.keys(PAGES)) {
        await tab.goto(`${origin}/${name}`)
        for (const { ratio, text } of (await tab.evaluate(TOO_FAINT)) as { ratio: number; text: string }[])
          console.log(`${name}, ${colorScheme}: ${ratio.toFixed(2)} is too faint: ${text}`)
        const over = await tab.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
        if (over) console.log(`${name} at ${width}: ${over} px too wide`)
        await tab.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true })
      }
      await context.close()
    }
  await browser.close()
  console.log(folder)
}
