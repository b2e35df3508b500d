import { curl, python, typescript } from './code.ts'
import {
  anyClient,
  cline,
  cursor,
  goose,
  jetbrains,
  kiro,
  lmStudio,
  vscode,
  vscodeInsiders,
  windsurf,
  zed,
} from './editors.ts'
import { chatGpt, claudeAi, claudeDesktop, n8n } from './hosted.ts'
import { addMcp, amp, claudeCode, codex, copilotCli, geminiCli, opencode } from './terminals.ts'
import type { Client } from './variant.ts'

/** Every client that we know how to connect, in the order that pages show them. */
export const CLIENTS = {
  'claude-code': claudeCode,
  codex,
  vscode,
  'vscode-insiders': vscodeInsiders,
  cursor,
  'claude-desktop': claudeDesktop,
  'claude-ai': claudeAi,
  chatgpt: chatGpt,
  'gemini-cli': geminiCli,
  'copilot-cli': copilotCli,
  opencode,
  amp,
  windsurf,
  zed,
  'lm-studio': lmStudio,
  goose,
  kiro,
  cline,
  jetbrains,
  'add-mcp': addMcp,
  n8n,
  json: anyClient,
  curl,
  typescript,
  python,
} as const satisfies Record<string, Client>

export type ClientName = keyof typeof CLIENTS

export const CLIENT_NAMES = Object.keys(CLIENTS) as ClientName[]

export function isClientName(text: string): text is ClientName {
  return Object.hasOwn(CLIENTS, text)
}

/** With every member that a client may have, told or not. */
export function clientNamed(name: ClientName): Client {
  return CLIENTS[name]
}
