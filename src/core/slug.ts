/** What names a workspace's MCP in addresses, scopes and the names of tools. */
export const SLUG = /^[a-z0-9-]{1,32}$/
