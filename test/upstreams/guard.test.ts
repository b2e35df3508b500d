import { describe, expect, it } from 'vitest'
import { kindOf } from '../../src/upstreams/addresses.ts'
import { addressGuard } from '../../src/upstreams/guard.ts'

const answers =
  (...addresses: string[]) =>
  async () =>
    addresses
const strict = addressGuard({ allowPrivate: false, lookup: answers('93.184.215.14') })
const lenient = addressGuard({ allowPrivate: true, lookup: answers('10.0.0.5') })

/** Refusals of URLs without a name come at once, others once the name is resolved. */
const tried = async (guard: typeof strict, url: string) => guard(url)

const PRIVATE = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.0.0.1/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://0/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://198.18.0.1/',
  'http://240.0.0.1/',
  'http://①②⑦.0.0.1/',
  'http://[::1]/',
  'http://[::]/',
  'http://[fd12:3456::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:a00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::10.0.0.1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:a00:1:0:0:f7f7:f7f7]/',
]

const NEVER = [
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://0xA9FEA9FE/',
  'http://0251.0376.0251.0376/',
  'http://169.254.0.7/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://[fe80::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fd20:ce::254]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[64:ff9b::a9fe:a9fe]/',
  'http://[2002:a9fe:a9fe::]/',
  'http://224.0.0.1/',
  'http://metadata.google.internal/',
  'http://metadata.google.internal./',
  'http://METADATA.google.internal/',
  'http://metadata/',
]

describe('addresses', () => {
  it.each(PRIVATE)('%s is private', async (url) => {
    await expect(tried(strict, url)).rejects.toThrow(/private network/)
    expect(await tried(lenient, url)).toHaveLength(1)
  })

  it.each(NEVER)('%s is never reached', async (url) => {
    await expect(tried(strict, url)).rejects.toThrow(/never reached/)
    await expect(tried(lenient, url)).rejects.toThrow(/never reached/)
  })

  it.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:1.1.1.1', '64:ff9b::101:101'])(
    '%s is public',
    (address) => expect(kindOf(address)).toBe('public'),
  )

  it('takes what is no address for unreachable', () => {
    expect(kindOf('example.com')).toBe('never')
    expect(kindOf('fe80::1%eth0')).toBe('never')
  })
})

describe('URLs', () => {
  it.each(['file:///etc/passwd', 'ftp://example.com/', 'gopher://example.com/', 'unix:/run/docker.sock', 'nonsense'])(
    'refuses %s',
    async (url) => {
      await expect(tried(lenient, url)).rejects.toThrow(/begins with http/)
    },
  )

  it('refuses credentials in a URL', async () => {
    await expect(tried(lenient, 'http://user:secret@example.com/')).rejects.toThrow(/Put it into a header/)
  })
})

describe('names', () => {
  it('connects to the address that was checked, under the name that was asked for', async () => {
    expect(await strict('https://wiki.example:8443/mcp?a=1')).toEqual([
      { href: 'https://93.184.215.14:8443/mcp?a=1', host: 'wiki.example:8443', serverName: 'wiki.example' },
    ])
    const six = addressGuard({ allowPrivate: false, lookup: answers('2606:4700::1111') })
    expect(await six('http://wiki.example/mcp')).toEqual([
      { href: 'http://[2606:4700::1111]/mcp', host: 'wiki.example', serverName: null },
    ])
  })

  it('refuses a name that leads inside', async () => {
    const guard = addressGuard({ allowPrivate: false, lookup: answers('192.168.1.1') })
    await expect(guard('http://wiki.example/')).rejects.toThrow(/private network/)
  })

  it('refuses localhost where private networks are off', async () => {
    const guard = addressGuard({ allowPrivate: false, lookup: answers('127.0.0.1') })
    await expect(guard('http://localhost:8080/')).rejects.toThrow(/private network/)
    expect(await lenient('http://localhost:8080/')).toMatchObject([{ host: null }])
  })

  it('refuses a name that leads to metadata, private networks allowed or not', async () => {
    const guard = addressGuard({ allowPrivate: true, lookup: answers('169.254.169.254') })
    await expect(guard('http://wiki.example/')).rejects.toThrow(/never reached/)
  })

  it('refuses a name of which only one address leads inside', async () => {
    const guard = addressGuard({ allowPrivate: false, lookup: answers('1.1.1.1', '10.0.0.1') })
    await expect(guard('http://wiki.example/')).rejects.toThrow(/private network/)
  })

  it('says when a name cannot be resolved', async () => {
    const guard = addressGuard({ allowPrivate: true })
    await expect(guard('http://no-such-name.invalid/')).rejects.toThrow(/cannot be resolved/)
  })

  it('asks once for many calls, and again after half a minute', async () => {
    let now = 0
    const given = ['1.1.1.1', '169.254.169.254']
    let asked = 0
    const guard = addressGuard({ allowPrivate: true, now: () => now, lookup: async () => [given[asked++]!] })
    const url = 'http://rebinding.example/'
    await Promise.all([guard(url), guard(url), guard(url)])
    now = 29_999
    expect(await guard(url)).toMatchObject([{ href: 'http://1.1.1.1/' }])
    expect(asked).toBe(1)
    now = 30_001
    await expect(guard(url)).rejects.toThrow(/never reached/)
  })

  it('asks again at once after a failure', async () => {
    let asked = 0
    const lookup = async () => (asked++ === 0 ? ['169.254.169.254'] : ['1.1.1.1'])
    const guard = addressGuard({ allowPrivate: true, lookup })
    await expect(guard('http://wiki.example/')).rejects.toThrow()
    expect(await guard('http://wiki.example/')).toHaveLength(1)
  })
})
