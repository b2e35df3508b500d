import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AuditEntry,
  type AuditHead,
  type AuditLine,
  BEGINNING,
  type Finding,
  sealLine,
  signHead,
  verifyChain,
} from '../../src/core/audit.ts'
import { deriveSecrets, Secret } from '../../src/core/secret.ts'
import { entryOf, later, secrets } from '../support/store.ts'

const seal = secrets.audit

function chain(length: number, name = 'wsp_1'): { lines: AuditLine[]; head: AuditHead } {
  const lines: AuditLine[] = []
  for (let seq = 1; seq <= length; seq++) {
    const more = { at: later(seq), before: { n: seq }, after: { n: seq + 1, at: later(seq) } }
    lines.push(sealLine(entryOf('key.changed', name, `key_${seq}`, more), seq, lines.at(-1)?.hash ?? BEGINNING))
  }
  return { lines, head: signHead(seal, lines.at(-1)!) }
}

async function* each(lines: AuditLine[]): AsyncIterable<AuditLine> {
  yield* lines
}

const check = (lines: AuditLine[], head: AuditHead | null, name = 'wsp_1'): Promise<Finding> =>
  verifyChain(seal, name, each(lines), head)

/** The line with everything after it sealed anew, as one who knows the code but not the secret would. */
function resealed(lines: AuditLine[], from: number): AuditLine[] {
  const made = lines.slice(0, from)
  for (const line of lines.slice(from)) made.push(sealLine(line, made.length + 1, made.at(-1)?.hash ?? BEGINNING))
  return made
}

it('finds a whole chain whole', async () => {
  const { lines, head } = chain(5)
  expect(await check(lines, head)).toEqual({ ok: true, checked: 5 })
})

describe('finds', () => {
  const firstBad = async (lines: AuditLine[], head: AuditHead | null) => {
    const finding = await check(lines, head)
    return finding.ok ? null : [finding.firstBad.seq, finding.firstBad.why]
  }

  it.each<[string, (line: AuditLine) => AuditLine]>([
    ['the time', (line) => ({ ...line, at: new Date(line.at.getTime() + 1) })],
    ['a time that is none', (line) => ({ ...line, at: new Date(Number.NaN) })],
    ['the action', (line) => ({ ...line, action: 'key.deleted' })],
    ['who', (line) => ({ ...line, actor: { ...line.actor, label: 'somebody else' } })],
    ['what kind of who', (line) => ({ ...line, actor: { ...line.actor, kind: 'system' } })],
    ['whose id', (line) => ({ ...line, actor: { ...line.actor, id: 'usr_2' } })],
    ['from where', (line) => ({ ...line, actor: { ...line.actor, address: '::1' } })],
    ['by which request', (line) => ({ ...line, actor: { ...line.actor, requestId: 'req_2' } })],
    ['which', (line) => ({ ...line, subject: { ...line.subject, id: 'key_9' } })],
    ['what kind of which', (line) => ({ ...line, subject: { ...line.subject, kind: 'mcp' } })],
    ['its name', (line) => ({ ...line, subject: { ...line.subject, label: 'x' } })],
    ['before', (line) => ({ ...line, before: { n: 0 } })],
    ['before, by nothing', (line) => ({ ...line, before: null })],
    ['after', (line) => ({ ...line, after: { ...line.after, n: 0 } })],
    ['the hash itself', (line) => ({ ...line, hash: `${line.hash.slice(0, -1)}0` })],
  ])('an edited line: %s', async (_what, edit) => {
    const { lines, head } = chain(5)
    expect(await firstBad(lines.with(2, edit(lines[2]!)), head)).toEqual([3, 'was changed after it was written'])
  })

  it('an edit that was sealed again', async () => {
    const { lines, head } = chain(5)
    const edited = lines.with(2, { ...lines[2]!, action: 'key.deleted' })
    expect(await firstBad(edited.with(2, resealed(edited, 2)[2]!), head)).toEqual([
      4,
      'does not follow the line before it',
    ])
    expect(await firstBad(resealed(edited, 2), head)).toEqual([6, 'lines are missing at the end'])
  })

  it('a removed line, wherever it was', async () => {
    const { lines, head } = chain(5)
    expect(await firstBad(lines.slice(1), head)).toEqual([1, 'a line is missing or out of order'])
    expect(await firstBad(lines.toSpliced(2, 1), head)).toEqual([3, 'a line is missing or out of order'])
    expect(await firstBad(resealed(lines.toSpliced(2, 1), 2), head)).toEqual([5, 'lines are missing at the end'])
    expect(await firstBad(lines.slice(0, 4), head)).toEqual([5, 'lines are missing at the end'])
    expect(await firstBad([], head)).toEqual([1, 'lines are missing at the end'])
  })

  it('lines that changed places', async () => {
    const { lines, head } = chain(5)
    const [, b, c] = lines as [AuditLine, AuditLine, AuditLine]
    expect(await firstBad(lines.toSpliced(1, 2, c, b), head)).toEqual([2, 'a line is missing or out of order'])
    expect(await firstBad(lines.toSpliced(1, 2, { ...c, seq: 2 }, { ...b, seq: 3 }), head)).toEqual([
      2,
      'does not follow the line before it',
    ])
  })

  it('a line put in between, or on top', async () => {
    const { lines, head } = chain(5)
    const forged = sealLine(entryOf('key.created', 'wsp_1', 'key_0'), 3, lines[1]!.hash)
    expect(await firstBad(lines.toSpliced(2, 0, forged), head)).toEqual([4, 'a line is missing or out of order'])
    const onTop = sealLine(entryOf('key.created', 'wsp_1', 'key_0'), 6, lines[4]!.hash)
    expect(await firstBad([...lines, onTop], head)).toEqual([7, 'lines are missing at the end'])
  })

  it('a missing head, and one that this instance did not sign', async () => {
    const { lines, head } = chain(5)
    const other = deriveSecrets(new Secret('the secret of somebody else, as long')).audit
    expect(await firstBad(lines, null)).toEqual([6, 'the signed head is missing'])
    expect(await firstBad(lines, { ...head, signature: '' })).toEqual([5, 'the head is not signed by this instance'])
    expect(await firstBad(lines, signHead(other, lines[4]!))).toEqual([5, 'the head is not signed by this instance'])
    expect(await firstBad(lines.slice(0, 4), { ...head, seq: 4, hash: lines[3]!.hash })).toEqual([
      4,
      'the head is not signed by this instance',
    ])
  })

  it('lines and heads of another chain', async () => {
    const [{ lines, head }, other] = [chain(5), chain(5, 'wsp_2')]
    expect(await firstBad(other.lines, other.head)).toEqual([1, 'belongs to another chain'])
    expect(
      await firstBad(
        other.lines.map((line) => ({ ...line, chain: 'wsp_1' })),
        head,
      ),
    ).toEqual([1, 'was changed after it was written'])
    expect(await firstBad(lines, other.head)).not.toBeNull()
    expect(await firstBad(lines, { ...other.head, chain: 'wsp_1' })).toEqual([
      5,
      'the head is not signed by this instance',
    ])
  })

  it('any single change at all', async () => {
    const { lines, head } = chain(6)
    const change = fc.oneof(
      fc.record({ kind: fc.constant('drop' as const), at: fc.nat(5), to: fc.constant(0) }),
      fc.record({ kind: fc.constant('move' as const), at: fc.nat(5), to: fc.nat(5) }),
      fc.record({ kind: fc.constant('copy' as const), at: fc.nat(5), to: fc.nat(6) }),
    )
    await fc.assert(
      fc.asyncProperty(change, async ({ kind, at, to }) => {
        const without = lines.toSpliced(at, 1)
        const made =
          kind === 'drop'
            ? without
            : kind === 'move'
              ? without.toSpliced(to, 0, lines[at]!)
              : lines.toSpliced(to, 0, lines[at]!)
        expect((await check(made, head)).ok).toBe(kind === 'move' && at === to)
      }),
    )
  })
})

it('seals what a line says, not how it came', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, fc.object({ maxDepth: 2 }), (label, id, before) => {
      const entry = entryOf('key.changed', 'wsp_1', id, { before: before as AuditEntry['before'] })
      const line = sealLine({ ...entry, subject: { ...entry.subject, label } }, 1, BEGINNING)
      const kept = (one: string) => Buffer.from(one, 'utf8').toString('utf8') // what a database in UTF-8 gives back
      const read: AuditLine = {
        ...line,
        subject: { ...line.subject, label: kept(line.subject.label), id: kept(line.subject.id) },
        before: JSON.parse(kept(JSON.stringify(line.before))),
      }
      expect(sealLine(read, 1, BEGINNING).hash).toBe(line.hash)
    }),
  )
})
