import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLifetime, PRESETS, readExpiry, readNotBefore } from '../../../src/core/keys/expiry.ts'

const now = new Date('2026-06-01T12:00:00.000Z')

describe('an expiry', () => {
  it.each([
    ['2027-03-31', '2027-03-31T23:59:59.999Z'],
    ['2026-06-01', '2026-06-01T23:59:59.999Z'],
    ['2028-02-29', '2028-02-29T23:59:59.999Z'],
    ['2400-02-29', '2400-02-29T23:59:59.999Z'],
    ['2027-03-31T12:00Z', '2027-03-31T12:00:00.000Z'],
    ['2027-03-31T12:00:00Z', '2027-03-31T12:00:00.000Z'],
    ['2027-03-31T12:00:00.5Z', '2027-03-31T12:00:00.500Z'],
    ['2027-03-31T12:00:00+02:00', '2027-03-31T10:00:00.000Z'],
    ['2027-03-31T23:30:00-05:00', '2027-04-01T04:30:00.000Z'],
    ['2026-06-01T12:00:00.001Z', '2026-06-01T12:00:00.001Z'],
    ['1d', '2026-06-02T12:00:00.000Z'],
    ['30d', '2026-07-01T12:00:00.000Z'],
    ['365d', '2027-06-01T12:00:00.000Z'],
  ])('%s is %s', (text, end) => {
    expect(readExpiry(text, now)?.toISOString()).toBe(end)
  })

  it.each([null, 'never'])('%s is none', (text) => {
    expect(readExpiry(text, now)).toBeNull()
  })

  it.each(Object.entries(PRESETS))('takes the preset %s', (name, days) => {
    expect(readExpiry(name, now)?.getTime() ?? null).toBe(days && now.getTime() + days * 86_400_000)
  })

  it.each([
    '2026-05-31',
    '2026-06-01T12:00:00Z',
    '2026-06-01T11:59:59.999Z',
    '2026-06-01T14:00:00+02:00',
    '0d',
    '1999-12-31',
  ])('%s is refused as past', (text) => {
    expect(() => readExpiry(text, now)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        errors: [{ field: 'expires_at', message: 'The expiry must be in the future.' }],
      }),
    )
  })

  it.each([
    ...[
      '',
      ' ',
      'tomorrow',
      '90',
      'd',
      '-5d',
      '1.5d',
      '10000d',
      '2027',
      '2027-03',
      '31.03.2027',
      '03/31/2027',
      'Never',
    ],
    ...['2027-02-29', '2027-02-30', '2027-04-31', '2027-13-01', '2027-00-10', '2027-01-00', '2100-02-29', '2027-3-1'],
    ...[
      '2027-02-30T12:00:00Z',
      '2027-03-31T25:00:00Z',
      '2027-03-31T12:60:00Z',
      '2027-03-31T12:00:00',
      '2027-03-31 12:00:00Z',
    ],
    ...[
      '2027-03-31T12:00:00+0200',
      '2027-03-31T12:00:00+25:00',
      '2027-03-31Z',
      ' 2027-03-31',
      '2027-03-31\n',
      '1798761600',
      'Infinity',
      'null',
    ],
  ])('%j is refused, and never taken for none', (text) => {
    expect(() => readExpiry(text, now)).toThrow(/no date|future/)
  })

  it('is never before now nor unreadable, whatever is written', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/),
      fc.stringMatching(/^\d{1,5}d$/),
    )
    fc.assert(
      fc.property(text, (text) => {
        let end: Date | null
        try {
          end = readExpiry(text, now)
        } catch (error) {
          expect(error).toMatchObject({ code: 'validation_failed' })
          return
        }
        if (text === 'never') expect(end).toBeNull()
        else expect(end!.getTime()).toBeGreaterThan(now.getTime())
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a beginning', () => {
  it.each([
    ['2027-03-31', '2027-03-31T00:00:00.000Z'],
    ['2020-01-01', '2020-01-01T00:00:00.000Z'],
    ['2027-03-31T12:00:00+02:00', '2027-03-31T10:00:00.000Z'],
  ])('%s is %s', (text, beginning) => {
    expect(readNotBefore(text)?.toISOString()).toBe(beginning)
  })

  it('may be left out, but not be unreadable', () => {
    expect(readNotBefore(null)).toBeNull()
    for (const text of ['soon', '90d', '2027-02-30'])
      expect(() => readNotBefore(text)).toThrow(
        expect.objectContaining({ errors: [expect.objectContaining({ field: 'not_before' })] }),
      )
  })

  it('lies before the end', () => {
    checkLifetime(null, now)
    checkLifetime(now, null)
    checkLifetime(now, new Date(now.getTime() + 1))
    expect(() => checkLifetime(now, now)).toThrow('would expire before it becomes valid')
  })
})
