import { Refusal } from '../core/refusal.ts'

/** Clients whose key was refused ask for OAuth next, and some show their person nothing but this sentence. */
export function noOAuth(): Refusal {
  return new Refusal(
    'not_found',
    'There is no OAuth here, only API keys. If you sent one, it was refused: it is mistyped, expired or revoked. Send a valid one: `Authorization: Bearer <key>`.',
  )
}
