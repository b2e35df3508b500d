import type { KeyObject } from 'node:crypto'
import type { Isolation, Mcp, Transport } from '../core/mcps/mcp.ts'
import type { Store } from '../core/store.ts'
import { append } from './audit.ts'
import type { Db } from './sqlite.ts'
import type { McpRow } from './tables.ts'

export function mcpsIn(db: Db, seal: KeyObject, moved: () => void): Store['mcps'] {
  return {
    async list(workspaceId) {
      const rows = await db
        .selectFrom('mcps')
        .selectAll()
        .where('workspace_id', '=', workspaceId)
        .orderBy('slug')
        .execute()
      return rows.map(toMcp)
    },

    add(mcp, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const added = await tx
            .insertInto('mcps')
            .values(toRow(mcp))
            .onConflict((conflict) => conflict.columns(['workspace_id', 'slug']).doNothing())
            .returning('id')
            .executeTakeFirst()
          if (!added) return false
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },

    change(mcp, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const { id: _id, workspace_id: _workspace, slug: _slug, created_at: _at, ...changed } = toRow(mcp)
          const row = await tx
            .updateTable('mcps')
            .set(changed)
            .where('id', '=', mcp.id)
            .where('revision', '=', mcp.revision - 1)
            .returning('id')
            .executeTakeFirst()
          if (!row) return false
          await tx.deleteFrom('mcp_offers').where('mcp_id', '=', mcp.id).execute()
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },

    async remove(mcp, entry) {
      await db
        .transaction()
        .execute(async (tx) => {
          const gone = await tx.deleteFrom('mcps').where('id', '=', mcp.id).returning('id').executeTakeFirst()
          if (gone) await append(tx, seal, entry)
        })
        .finally(moved)
    },

    async offer(mcpId, environment) {
      const row = await db
        .selectFrom('mcp_offers')
        .select(['offer', 'heard_at'])
        .where('mcp_id', '=', mcpId)
        .where('environment', '=', environment)
        .executeTakeFirst()
      return row ? { offer: JSON.parse(row.offer), heardAt: new Date(row.heard_at) } : null
    },

    async keepOffer({ id, revision }, environment, known) {
      const row = { offer: JSON.stringify(known.offer), heard_at: known.heardAt.getTime() }
      await db.transaction().execute(async (tx) => {
        const still = tx.selectFrom('mcps').select('id').where('id', '=', id).where('revision', '=', revision)
        if (!(await still.executeTakeFirst())) return // changed or removed while it was being asked
        await tx
          .insertInto('mcp_offers')
          .values({ mcp_id: id, environment, ...row })
          .onConflict((conflict) => conflict.columns(['mcp_id', 'environment']).doUpdateSet(row))
          .execute()
      })
    },
  }
}

export function toRow(mcp: Mcp): McpRow {
  const { live, test } = mcp.targets
  return {
    id: mcp.id,
    workspace_id: mcp.workspaceId,
    slug: mcp.slug,
    name: mcp.name,
    transport: mcp.transport,
    live: live && JSON.stringify(live),
    test: test && JSON.stringify(test),
    isolation: mcp.isolation,
    timeout_seconds: mcp.timeoutSeconds,
    created_at: mcp.createdAt.getTime(),
    revision: mcp.revision,
  }
}

function toMcp(row: McpRow): Mcp {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    slug: row.slug,
    name: row.name,
    transport: row.transport as Transport,
    targets: {
      live: row.live === null ? null : JSON.parse(row.live),
      test: row.test === null ? null : JSON.parse(row.test),
    },
    isolation: row.isolation as Isolation,
    timeoutSeconds: row.timeout_seconds,
    createdAt: new Date(row.created_at),
    revision: row.revision,
  }
}
