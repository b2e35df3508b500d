import { BlockList, isIP, isIPv6 } from 'node:net'
import { invalid } from '../refusal.ts'

const compiled = new WeakMap<readonly string[], BlockList>()

/** IPv4-mapped IPv6 addresses count as the IPv4 address they carry. */
export function addressIsIn(ranges: readonly string[], address: string): boolean {
  let list = compiled.get(ranges)
  if (!list) {
    list = listOf(ranges)
    compiled.set(ranges, list)
  }
  return isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const { address, bits } = split(range)!
    list.addSubnet(address, bits, isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  return list
}

export function checkRanges(ranges: readonly string[], field = 'ip_allow'): string[] {
  return ranges.map((range) => {
    if (!split(range))
      throw invalid(field, `"${range}" is no address. Write one such as 203.0.113.7, or a range such as 10.0.0.0/8.`)
    return range.trim()
  })
}

/** Whether everything in `inner` lies in one of `outer`. */
export function rangeWithin(outer: readonly string[], inner: string): boolean {
  const wanted = split(inner)!
  return outer.some((range) => {
    const { address, bits } = split(range)!
    return isIP(address) === isIP(wanted.address) && wanted.bits >= bits && addressIsIn([range], wanted.address)
  })
}

function split(range: string): { address: string; bits: number } | null {
  const [address, text, ...rest] = range.trim().split('/')
  const family = isIP(address!)
  if (!family || address!.includes('%') || rest.length > 0) return null
  const most = family === 4 ? 32 : 128
  if (text === undefined) return { address: address!, bits: most }
  return /^\d{1,3}$/.test(text) && Number(text) <= most ? { address: address!, bits: Number(text) } : null
}
