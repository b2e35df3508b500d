export type Notice = { kind: 'info' | 'good' | 'warn' | 'bad'; text: string }

/** What a page may say about the form before it. The cookie carries the name alone, so nobody can put words in our mouth. */
export const FLASHES = {
  welcome: good('Your account and workspace are ready.'),
  'has-owner': info('This Claviger has its owner already, and setup links open nothing any more. Sign in.'),
  'signed-out': info('You are signed out.'),
  'keys-imported': good('The keys are imported. They work from their next request on.'),
  'key-renamed': good('The key has its new name.'),
  'key-changed': good('The changes are saved. They hold from the next request on.'),
  'key-rotation-finished': good('The rotation is finished. Only the new secret works.'),
  'key-disabled': good('The key is disabled. It is refused from its next request on.'),
  'key-enabled': good('The key is enabled. It works again from its next request on.'),
  'key-enabled-expired': info('The key is enabled, but it has expired: it is refused until it has a later end.'),
  'key-enabled-scheduled': info('The key is enabled. It is not valid yet, and works from its beginning on.'),
  'key-revoked': good('The key is revoked. It is refused from its next request on, for good.'),
  'key-deleted': good('The key is deleted.'),
  'invitation-withdrawn': good('The invitation is withdrawn. Its link opens nothing any more.'),
  'role-changed': good('The role is changed, with effect at once.'),
  'member-removed': good('They are no longer a member of this workspace.'),
  left: info('You have left that workspace.'),
  joined: good('Welcome. You are a member of this workspace now.'),
  'handed-over': good('The workspace has its new owner. You are an admin of it now.'),
  'mcp-added': good('The server is added. Keys reach it from their next request on.'),
  'mcp-changed': good('The settings are saved.'),
  'mcp-removed': good('The server is removed.'),
  'mcps-imported': good('The servers are added.'),
  'repo-added': good('The repo is added. What it holds can be found as soon as it is read.'),
  'repo-changed': good('The repo is changed.'),
  'repo-removed': good('The repo is removed. Nothing of it is found any more.'),
  'repo-files-added': good('The files are there, and can be found.'),
  'repo-file-removed': good('The file is removed.'),
  'workspace-created': good('The workspace is ready.'),
  'workspace-renamed': good('The workspace has its new name.'),
  'workspace-deleted': info('The workspace is deleted.'),
  'name-changed': good('Your name is changed.'),
  'password-changed': good('Your password is changed. Every other session has ended.'),
  'session-ended': good('That session has ended.'),
  'signed-out-everywhere': info('You are signed out everywhere.'),
} satisfies Record<string, Notice>

export type FlashName = keyof typeof FLASHES

export function flashNamed(name: string | null): Notice | null {
  return name !== null && Object.hasOwn(FLASHES, name) ? FLASHES[name as FlashName] : null
}

function good(text: string): Notice {
  return { kind: 'good', text }
}

function info(text: string): Notice {
  return { kind: 'info', text }
}
