import { migrationsFolder } from '../assets.ts'
import type { Secrets } from '../core/secret.ts'
import type { Store } from '../core/store.ts'
import { activityIn } from './activity.ts'
import { activityBeside, carryOver } from './activity-file.ts'
import { answersIn } from './answers.ts'
import { auditIn } from './audit.ts'
import { invitationsIn } from './invitations.ts'
import { keysIn } from './keys.ts'
import { mcpsIn } from './mcps.ts'
import { membersIn } from './members.ts'
import { migrate } from './migrate.ts'
import { reposIn } from './repos.ts'
import { sessionsIn } from './sessions.ts'
import { setupIn } from './setup.ts'
import { connect, kyselyOn } from './sqlite.ts'
import { usersIn } from './users.ts'
import { usesIn } from './uses.ts'
import { versionOf } from './version.ts'
import { workspacesIn } from './workspaces.ts'

export type OpenStore = Store & { migrated: string[] }

/** The port on SQLite. A database made under another secret is refused: every key in it would seem unknown. */
export function openStore(file: string, secrets: Secrets, now: Date): OpenStore {
  const connection = connect(file)
  try {
    const migrated = migrate(connection, migrationsFolder(), now, {
      '0010-activity-apart.sql': () => carryOver(connection, activityBeside(file)),
    })
    refuseOtherSecret(connection, secrets)
    const db = kyselyOn(connection)
    const version = versionOf(connection)
    const activity = activityIn(file)
    return {
      migrated,
      version: version.now,
      seenVersion: version.seen,
      setup: setupIn(db, secrets.audit, version.moved),
      users: usersIn(db, secrets.audit, version.moved),
      sessions: sessionsIn(db, secrets.audit),
      workspaces: workspacesIn(db, secrets.audit, version.moved),
      members: membersIn(db, secrets.audit, version.moved),
      invitations: invitationsIn(db, secrets.audit, version.moved),
      keys: keysIn(db, secrets.audit, version.moved),
      mcps: mcpsIn(db, secrets.audit, version.moved),
      repos: reposIn(db, secrets.audit, version.moved),
      uses: usesIn(db, connection),
      activity,
      answers: answersIn(db),
      audit: auditIn(db, secrets.audit),
      async probe() {
        await db
          .insertInto('instance')
          .values({ name: 'probe', value: '' })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: '' }))
          .execute()
      },
      async close() {
        await activity.close().finally(() => db.destroy())
        connection.close()
      },
    }
  } catch (error) {
    connection.close()
    throw error
  }
}

/** The first start notes which secret it was; two that start at once note the same. */
function refuseOtherSecret(connection: ReturnType<typeof connect>, { fingerprint }: Secrets): void {
  const noted = connection.prepare("select value from instance where name = 'secret'").pluck()
  if (noted.get() === undefined)
    connection.prepare("insert into instance values ('secret', ?) on conflict do nothing").run(fingerprint)
  if (noted.get() !== fingerprint)
    throw new Error(
      'This database was made under another secret. Put the original CLAVIGER_SECRET (or the file `secret` of the data directory) back; without it no key in this database can be verified.',
    )
}
