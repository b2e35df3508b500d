import type { Role } from './roles.ts'

export type User = {
  id: string
  email: string
  name: string
  passwordHash: string
  instanceOwner: boolean
  createdAt: Date
}

export type Session = {
  id: string
  userId: string
  createdAt: Date
  lastSeenAt: Date
  endsAt: Date
  address: string
  userAgent: string
}

export type Workspace = { id: string; slug: string; name: string; createdAt: Date }

export type Member = { workspaceId: string; userId: string; email: string; name: string; role: Role; joinedAt: Date }

export type Membership = { workspace: Workspace; role: Role }

export type Invitation = {
  id: string
  workspaceId: string
  email: string | null
  role: Role
  createdAt: Date
  createdBy: string
  /** Whose power bears it; null for one made on the command line. */
  createdById: string | null
  expiresAt: Date
}
