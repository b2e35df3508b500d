import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { migrationsFolder } from '../../src/assets.ts'
import { deriveSecrets, Secret } from '../../src/core/secret.ts'
import { databaseFile, instanceSecret, makeDataDir } from '../../src/store/data-dir.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open.ts'
import { connect } from '../../src/store/sqlite.ts'
import { folder, furnished, NOW, storeIn } from '../support/store.ts'

const shipped = readdirSync(migrationsFolder()).sort()
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

/** As many processes as named, all at the same line of code at the same time, `START`. */
async function atOnce(count: number, code: string): Promise<string[]> {
  const startAt = Date.now() + 1500
  const script = `const START = ${startAt}\nwhile (Date.now() < START) {}\n${code}`
  const children = Array.from({ length: count }, () =>
    Bun.spawn([process.execPath, '-e', script], {
      cwd: join(import.meta.dirname, '../..'),
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  )
  return Promise.all(
    children.map(async (child) => {
      const [out, err, exit] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
      if (exit !== 0) throw new Error(err)
      return out
    }),
  )
}

const opening = (dataDir: string) => `
  const { openContext } = await import('./src/context.ts')
  const { readConfig } = await import('./src/config.ts')
  const { config } = readConfig({ env: { CLAVIGER_DATA_DIR: ${JSON.stringify(dataDir)} } })
  const { ctx, migrated } = openContext(config, () => new Date('2026-06-01'))
  console.log(JSON.stringify({ migrated, fingerprint: ctx.secrets.fingerprint }))
  await ctx.store.close()`

describe('each connection', () => {
  it('has the pragmas that durability rests on, the first time and every other', () => {
    const file = join(folder(), 'claviger.db')
    for (let time = 0; time < 3; time++) {
      const connection = connect(file)
      connection.exec('create table if not exists t (a) strict'.replace('(a)', '(a integer)'))
      connection.prepare('select count(*) from t').get() // the first read is where an unset `synchronous` falls back
      const pragma = (name: string) => connection.pragma(name, { simple: true })
      expect({
        journal: pragma('journal_mode'),
        synchronous: pragma('synchronous'),
        foreignKeys: pragma('foreign_keys'),
        trusted: pragma('trusted_schema'),
      }).toEqual({ journal: 'wal', synchronous: 2, foreignKeys: 1, trusted: 0 })
      expect(pragma('busy_timeout')).toBeGreaterThanOrEqual(5000)
      connection.close()
    }
  })

  it('keeps them after migrating', () => {
    const connection = connect(join(folder(), 'claviger.db'))
    migrate(connection, migrationsFolder(), NOW)
    expect(connection.pragma('synchronous', { simple: true })).toBe(2)
    expect(connection.pragma('foreign_keys', { simple: true })).toBe(1)
    expect(connection.pragma('busy_timeout', { simple: true })).toBe(5000)
    connection.close()
  })
})

describe('migrations', () => {
  function migrations(files: Record<string, string>): string {
    const made = folder()
    for (const [name, sql] of Object.entries(files)) writeFileSync(join(made, name), sql)
    return made
  }
  const numbers = 'create table n (i integer) strict; insert into n values (1);'

  it('run once each, in the order of their names', () => {
    const connection = connect(join(folder(), 'claviger.db'))
    const all = {
      '0002-b.sql': 'insert into n values (2);',
      '0001-a.sql': numbers,
      '0010-c.sql': 'insert into n values (10);',
    }
    const from = migrations({ ...all, 'README.md': 'not one' })
    expect(migrate(connection, from, NOW)).toEqual(['0001-a.sql', '0002-b.sql', '0010-c.sql'])
    expect(migrate(connection, from, NOW)).toEqual([])
    expect(connection.prepare('select i from n').pluck().all()).toEqual([1, 2, 10])
    connection.close()
  })

  it('leave a copy of what was there before, for nobody else to read', () => {
    const home = folder()
    const connection = connect(join(home, 'claviger.db'))
    migrate(connection, migrations({ '0001-a.sql': numbers }), NOW)
    expect(existsSync(join(home, 'backups'))).toBe(false)
    const next = migrations({ '0001-a.sql': numbers, '0002-b.sql': 'drop table n;' })
    expect(migrate(connection, next, NOW)).toEqual(['0002-b.sql'])
    const [copy, ...others] = readdirSync(join(home, 'backups'))
    expect(others).toEqual([])
    expect(copy).toBe('before-0002-b.db')
    expect(modeOf(join(home, 'backups', copy!))).toBe('600')
    const before = new Database(join(home, 'backups', copy!))
    expect(before.prepare('select i from n').pluck().all()).toEqual([1])
    expect(before.prepare('select name from migrations').pluck().all()).toEqual(['0001-a.sql'])
    before.close()
    connection.close()
  })

  it('are all or nothing: after a failure the version before still starts', () => {
    const home = folder()
    const connection = connect(join(home, 'claviger.db'))
    const before = migrations({ '0001-a.sql': numbers })
    migrate(connection, before, NOW)
    const good = { '0001-a.sql': numbers, '0002-b.sql': 'insert into n values (2);' }
    const broken = 'insert into n values (3); create table broken (a integer) strict; insert into nowhere values (1);'
    const failing = migrations({ ...good, '0003-c.sql': broken })
    for (let start = 0; start < 3; start++) expect(() => migrate(connection, failing, NOW)).toThrow('nowhere')
    expect(readdirSync(join(home, 'backups'))).toEqual(['before-0002-b.db'])
    expect(connection.prepare('select i from n').pluck().all()).toEqual([1])
    expect(migrate(connection, before, NOW)).toEqual([])
    const mended = migrations({ ...good, '0003-c.sql': 'insert into n values (3);' })
    expect(migrate(connection, mended, NOW)).toEqual(['0002-b.sql', '0003-c.sql'])
    expect(connection.prepare('select i from n').pluck().all()).toEqual([1, 2, 3])
    connection.close()
  })

  it('refuse a database that a newer version made', () => {
    const connection = connect(join(folder(), 'claviger.db'))
    migrate(connection, migrations({ '0001-a.sql': numbers, '0009-z.sql': '' }), NOW)
    expect(() => migrate(connection, migrations({ '0001-a.sql': numbers }), NOW)).toThrow(
      'This database was made by a newer Claviger (it has 0009-z.sql). Start that version again, or restore the copy it took before migrating, in backups/.',
    )
    connection.close()
  })

  it('survive being killed in the middle', async () => {
    const home = folder()
    const file = join(home, 'claviger.db')
    const slow = `create table big (i integer) strict;
      insert into big with recursive c (i) as (select 1 union all select i + 1 from c where i < 3000000) select i from c;
      insert into n values (2);`
    const first = connect(file)
    migrate(first, migrations({ '0001-a.sql': numbers }), NOW)
    first.close()
    const from = migrations({ '0001-a.sql': numbers, '0002-b.sql': slow })
    const child = Bun.spawn(
      [
        process.execPath,
        '-e',
        `const { connect } = await import('./src/store/sqlite.ts'); const { migrate } = await import('./src/store/migrate.ts')
         migrate(connect(${JSON.stringify(file)}), ${JSON.stringify(from)}, new Date())`,
      ],
      { cwd: join(import.meta.dirname, '../..'), stderr: 'pipe' },
    )
    // the WAL grows beyond its first pages only once the second migration is under way
    await expect
      .poll(() => (existsSync(`${file}-wal`) ? statSync(`${file}-wal`).size : 0), { timeout: 10_000, interval: 5 })
      .toBeGreaterThan(200_000)
    child.kill('SIGKILL')
    await child.exited
    const connection = connect(file)
    expect(connection.prepare('select name from migrations').pluck().all()).toEqual(['0001-a.sql'])
    expect(connection.prepare("select count(*) from sqlite_schema where name = 'big'").pluck().get()).toBe(0)
    expect(connection.pragma('integrity_check', { simple: true })).toBe('ok')
    const quick = migrations({ '0001-a.sql': numbers, '0002-b.sql': 'insert into n values (2);' })
    expect(migrate(connection, quick, NOW)).toEqual(['0002-b.sql'])
    connection.close()
  })

  it('are never changed once shipped: every one is strict and names no other database', () => {
    for (const name of shipped) {
      const text = readFileSync(join(migrationsFolder(), name), 'utf8')
      expect(name).toMatch(/^\d{4}-[a-z-]+\.sql$/)
      for (const table of text.matchAll(/create table[^;]+;/g))
        expect([name, table[0]]).toEqual([name, expect.stringMatching(/\) strict(, without rowid)?;$/)])
    }
  })
})

describe('processes that start at the same moment', () => {
  it('agree on one secret and one database in an empty directory', async () => {
    const dataDir = join(folder(), 'data')
    const said = (await atOnce(4, opening(dataDir))).map((text) => JSON.parse(text))
    expect(new Set(said.map(({ fingerprint }) => fingerprint)).size).toBe(1)
    expect(said.flatMap(({ migrated }) => migrated).sort()).toEqual(shipped)
    expect(
      readdirSync(dataDir)
        .filter((name) => !name.startsWith('claviger.db'))
        .sort(),
    ).toEqual(['secret'])
  })

  it('wait for each other to begin a file', async () => {
    const dataDir = folder()
    const [files, everyMs] = [60, 12]
    const connecting = `
      const { connect } = await import('./src/store/sqlite.ts')
      for (let n = 0; n < ${files}; n++) {
        while (Date.now() < START + 500 + n * ${everyMs}) {}
        connect(${JSON.stringify(dataDir)} + '/' + n).close()
      }
      console.log('opened all')`
    expect(await atOnce(2, connecting)).toEqual(['opened all\n', 'opened all\n'])
  })

  it('migrate once, and each goes on', async () => {
    const dataDir = join(folder(), 'data')
    mkdirSync(dataDir)
    const first = connect(databaseFile(dataDir))
    const old = folder()
    for (const name of shipped.slice(0, 2)) writeFileSync(join(old, name), readFileSync(join(migrationsFolder(), name)))
    migrate(first, old, NOW)
    first.close()
    writeFileSync(join(dataDir, 'secret'), 'x'.repeat(64))
    const said = (await atOnce(4, opening(dataDir))).map((text) => JSON.parse(text))
    expect(said.flatMap(({ migrated }) => migrated).sort()).toEqual(shipped.slice(2))
  })
})

describe('the secret', () => {
  it('is made once, for nobody else to read', () => {
    const dataDir = join(folder(), 'a/b/data')
    makeDataDir(dataDir)
    const made = instanceSecret(dataDir, null).reveal()
    expect(made).toMatch(/^[0-9a-f]{64}$/)
    expect(instanceSecret(dataDir, null).reveal()).toBe(made)
    expect([modeOf(join(dataDir, 'secret')), modeOf(dataDir)]).toEqual(['600', '700'])
    expect(readdirSync(dataDir)).toEqual(['secret'])
  })

  it('is made whatever an earlier crash left behind', () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, `secret.${process.pid}`), 'half')
    expect(instanceSecret(dataDir, null).reveal()).toMatch(/^[0-9a-f]{64}$/)
  })

  it('is not made beside a database that was made under another', () => {
    const dataDir = folder()
    writeFileSync(databaseFile(dataDir), '')
    expect(() => instanceSecret(dataDir, null)).toThrow(
      `There is a database in ${dataDir} but not the secret its keys are hashed under. Put the file ${join(dataDir, 'secret')} back, or set CLAVIGER_SECRET to its content; without it no key can be verified.`,
    )
    expect(existsSync(join(dataDir, 'secret'))).toBe(false)
    expect(instanceSecret(dataDir, new Secret('y'.repeat(32))).reveal()).toBe('y'.repeat(32))
  })

  it('is refused when cut short or unreadable', () => {
    const dataDir = folder()
    writeFileSync(join(dataDir, 'secret'), 'short')
    expect(() => instanceSecret(dataDir, null)).toThrow('is too short to be the instance')
    rmSync(join(dataDir, 'secret'))
    mkdirSync(join(dataDir, 'secret'))
    expect(() => instanceSecret(dataDir, null)).toThrow('cannot be read (EISDIR)')
  })

  it('is refused when it is not the database’s own', async () => {
    const file = join(folder(), 'claviger.db')
    await furnished(storeIn(file))
    const other = deriveSecrets(new Secret('another secret, as long as the first'))
    expect(() => openStore(file, other, NOW)).toThrow(/^This database was made under another secret\. Put the original/)
    expect(await storeIn(file).setup.done()).toBe(true)
  })

  it('may come from CLAVIGER_SECRET alone, and is then in no file', async () => {
    const { terminal } = await import('../cli/terminal.ts')
    const { type, dataDir } = terminal()
    const env = { CLAVIGER_SECRET: 'a secret from the environment, long enough' }
    expect((await type(['workspaces', 'create', 'Main'], { env })).code).toBe(0)
    expect(readdirSync(dataDir)).not.toContain('secret')
    const without = await type(['workspaces', 'list'])
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining('set CLAVIGER_SECRET to its content') })
    const wrong = await type(['workspaces', 'list'], {
      env: { CLAVIGER_SECRET: 'another one, and just as long as that' },
    })
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('under another secret') })
    expect((await type(['workspaces', 'list'], { env })).code).toBe(0)
  })
})

it('says where it cannot write', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect(() => makeDataDir(join(file, 'data'))).toThrow(
    `The data directory ${join(file, 'data')} cannot be written (ENOTDIR). Name one that this user may write: --data-dir or CLAVIGER_DATA_DIR.`,
  )
  expect(() => makeDataDir(file)).toThrow('cannot be written (EEXIST)')
})
