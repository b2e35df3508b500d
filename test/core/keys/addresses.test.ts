import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressIsIn, checkRanges, rangeWithin } from '../../../src/core/keys/addresses.ts'

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '203.0.113.8', false],
    ['203.0.113.7/32', '203.0.113.7', true],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['0.0.0.0/0', '198.51.100.1', true],
    ['10.0.0.0/31', '10.0.0.1', true],
    ['10.0.0.0/31', '10.0.0.2', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:11.1.2.3', false],
    ['10.0.0.0/8', '::ffff:0a01:0203', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1', true],
    ['::1', '127.0.0.1', false],
    ['fe80::/10', 'fe80::1', true],
    ['10.0.0.0/8', 'unknown', false],
    ['0.0.0.0/0', '', false],
    ['0.0.0.0/0', '10.0.0.1 ', false],
  ])('in %s: %s is %s', (range, address, expected) => {
    expect(addressIsIn([range], address)).toBe(expected)
  })

  it('is in one of several', () => {
    const ranges = ['10.0.0.0/8', '::1']
    expect([addressIsIn(ranges, '10.0.0.1'), addressIsIn(ranges, '::1'), addressIsIn(ranges, '::2')]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('is found by the same arithmetic as on paper', () => {
    const number = fc.integer({ min: 0, max: 0xffffffff })
    const dotted = (n: number) => [24, 16, 8, 0].map((shift) => (n >>> shift) & 255).join('.')
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 32 }), fc.boolean(), (network, other, bits, near) => {
        const address = near ? (network ^ (other >>> bits)) >>> 0 : other
        const expected = network >>> (32 - bits) === address >>> (32 - bits)
        expect(addressIsIn([`${dotted(network)}/${bits}`], dotted(address))).toBe(expected)
        expect(addressIsIn([`${dotted(network)}/${bits}`], `::ffff:${dotted(address)}`)).toBe(expected)
      }),
    )
  })
})

describe('ranges', () => {
  it('are taken with white space around', () => {
    expect(checkRanges([' 10.0.0.0/8 ', '::1'])).toEqual(['10.0.0.0/8', '::1'])
  })

  it.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/8x',
    '::1/129',
    '256.1.1.1',
    '10.0.0.1-9',
    '*',
    'fe80::1%eth0',
    '010.0.0.1',
  ])('%j are refused by name', (range) => {
    expect(() => checkRanges(['10.0.0.0/8', range])).toThrow(`"${range}" is no address.`)
  })

  it.each([
    [['10.0.0.0/8'], '10.1.0.0/16', true],
    [['10.0.0.0/8'], '10.0.0.0/8', true],
    [['10.0.0.0/8'], '10.0.0.0/7', false],
    [['10.0.0.0/8'], '10.9.9.9', true],
    [['10.0.0.0/8'], '11.0.0.0/16', false],
    [['10.0.0.0/9', '10.128.0.0/9'], '10.0.0.0/8', false], // together, but no single one
    [['::/0'], '10.0.0.1', false],
    [['0.0.0.0/0'], '::1', false],
    [['2001:db8::/32'], '2001:db8:1::/48', true],
    [[], '10.0.0.1', false],
  ])('%j hold %s: %s', (outer, inner, expected) => {
    expect(rangeWithin(outer, inner)).toBe(expected)
  })
})
