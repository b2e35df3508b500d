import type { KeyObject } from 'node:crypto'
import { invalid, Refusal } from '../core/refusal.ts'
import type { Store } from '../core/store.ts'
import { powerOver, type Role, roleHas } from '../core/workspaces/roles.ts'
import type { Invitation } from '../core/workspaces/workspace.ts'
import { append, appendAll } from './audit.ts'
import { insertMember, roleIn } from './members.ts'
import type { Db, Tx } from './sqlite.ts'
import type { InvitationRow } from './tables.ts'
import { insertUser } from './users.ts'

export function invitationsIn(db: Db, seal: KeyObject, moved: () => void): Store['invitations'] {
  return {
    async add(invitation, tokenHash, entry) {
      await db.transaction().execute(async (tx) => {
        await tx.insertInto('invitations').values(toRow(invitation, tokenHash)).execute()
        await append(tx, seal, entry)
      })
    },

    async byToken(tokenHash, now) {
      const row = await db
        .selectFrom('invitations')
        .selectAll()
        .where('token_hash', '=', tokenHash)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now.getTime())
        .executeTakeFirst()
      return row ? toInvitation(row) : null
    },

    async open(workspaceId, now) {
      const rows = await db
        .selectFrom('invitations')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now.getTime())
        .orderBy('id', 'desc')
        .execute()
      return rows.map(toInvitation)
    },

    accept(tokenHash, userId, newUser, now, entries) {
      return db
        .transaction()
        .execute(async (tx) => {
          const open = await tx
            .selectFrom('invitations')
            .selectAll()
            .where('token_hash', '=', tokenHash)
            .where('used_at', 'is', null)
            .where('expires_at', '>', now.getTime())
            .executeTakeFirst()
          if (!open || !(await makerMayStill(tx, open))) return false
          await tx.updateTable('invitations').set({ used_at: now.getTime() }).where('id', '=', open.id).execute()
          if (newUser && !(await insertUser(tx, newUser)))
            throw invalid('email', 'There is an account with this address already. Sign in, then open the link again.')
          if (!(await insertMember(tx, open.workspace_id, userId, open.role as Role, now)))
            throw new Refusal('conflict', 'You are a member of this workspace already.')
          await appendAll(tx, seal, entries)
          return true
        })
        .finally(moved)
    },

    revoke(workspaceId, id, entry) {
      return db.transaction().execute(async (tx) => {
        const gone = await tx
          .deleteFrom('invitations')
          .where('workspace_id', '=', workspaceId)
          .where('id', '=', id)
          .where('used_at', 'is', null)
          .returning('id')
          .executeTakeFirst()
        if (!gone) return false
        await append(tx, seal, entry)
        return true
      })
    },
  }
}

/** A link gives no more than its maker could give at this moment. */
async function makerMayStill(tx: Tx, { created_by_id, workspace_id, role }: InvitationRow): Promise<boolean> {
  return created_by_id === null || roleHas(await roleIn(tx, workspace_id, created_by_id), powerOver(role as Role))
}

function toRow(invitation: Invitation, tokenHash: string): InvitationRow {
  return {
    id: invitation.id,
    workspace_id: invitation.workspaceId,
    token_hash: tokenHash,
    email: invitation.email,
    role: invitation.role,
    created_at: invitation.createdAt.getTime(),
    created_by: invitation.createdBy,
    created_by_id: invitation.createdById,
    expires_at: invitation.expiresAt.getTime(),
    used_at: null,
  }
}

function toInvitation(row: InvitationRow): Invitation {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    email: row.email,
    role: row.role as Role,
    createdAt: new Date(row.created_at),
    createdBy: row.created_by,
    createdById: row.created_by_id,
    expiresAt: new Date(row.expires_at),
  }
}
