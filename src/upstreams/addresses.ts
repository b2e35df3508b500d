import { BlockList, isIP, isIPv4 } from 'node:net'

/** How far an address may be reached: `never`, only where private networks are allowed, or `public`. */
export type Kind = 'never' | 'private' | 'public'

/** Cloud metadata, link-local and what is no single host's: nothing of ours is ever there. */
const NEVER = ranges([
  '169.254.0.0/16', // link-local; metadata of AWS, Azure, GCP and others at .169.254
  '100.100.100.200/32', // metadata of Alibaba Cloud
  '168.63.129.16/32', // Azure's wire server
  '192.0.0.192/32', // metadata of Oracle Cloud, older
  '224.0.0.0/4',
  '255.255.255.255/32',
  'fe80::/10',
  'fd00:ec2::/32', // metadata of AWS at fd00:ec2::254
  'fd20:ce::254/128', // metadata of GCP
  'fd00:42::42/128', // metadata of Scaleway
  'ff00::/8',
])

const PRIVATE = ranges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  '64:ff9b:1::/48',
  '100::/64',
  '2001:db8::/32',
  'fc00::/7',
  'fec0::/10',
])

/** An address within an address counts as the stricter of the two: translators reach the inner one. */
export function kindOf(address: string): Kind {
  const bare = address.replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 0) return 'never'
  if (family === 4) return own(bare, 'ipv4')
  const kinds = [own(bare, 'ipv6'), ...innerAddresses(bare).map((inner) => own(inner, 'ipv4'))]
  return kinds.includes('never') ? 'never' : kinds.includes('private') ? 'private' : 'public'
}

function own(address: string, family: 'ipv4' | 'ipv6'): Kind {
  return NEVER.check(address, family) ? 'never' : PRIVATE.check(address, family) ? 'private' : 'public'
}

/** The IPv4 addresses that an IPv6 one stands for: mapped, compatible, NAT64, 6to4, Teredo, ISATAP. */
function innerAddresses(address: string): string[] {
  const words = wordsOf(address)
  const startsWith = (...start: number[]) => start.every((word, at) => words[at] === word)
  const inner = (at: number) => [words[at]! >> 8, words[at]! & 255, words[at + 1]! >> 8, words[at + 1]! & 255].join('.')
  const found: string[] = []
  if (startsWith(0, 0, 0, 0, 0) && (words[5] === 0xffff || words[5] === 0)) found.push(inner(6))
  if (startsWith(0, 0, 0, 0, 0xffff, 0)) found.push(inner(6))
  if (startsWith(0x64, 0xff9b)) found.push(inner(6))
  if (startsWith(0x2002)) found.push(inner(1))
  if (startsWith(0x2001, 0)) found.push(inner(2), complement(inner(6)))
  if ((words[4]! & 0xfdff) === 0 && words[5] === 0x5efe) found.push(inner(6))
  return found
}

function complement(ipv4: string): string {
  return ipv4
    .split('.')
    .map((byte) => 255 - Number(byte))
    .join('.')
}

/** The eight words of an IPv6 address. URL writes all of them in hex, with one gap at most. */
function wordsOf(address: string): number[] {
  const written = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head, tail] = written.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const words = tail === undefined ? head! : [...head!, ...Array(8 - head!.length - tail.length).fill('0'), ...tail]
  return words.map((word) => Number.parseInt(word, 16))
}

function ranges(list: string[]): BlockList {
  const blocked = new BlockList()
  for (const range of list) {
    const [address, bits] = range.split('/')
    blocked.addSubnet(address!, Number(bits), isIPv4(address!) ? 'ipv4' : 'ipv6')
  }
  return blocked
}
