import {accountRoleSchema} from '#ota/contract/account-api.ts';
import type {AccountRow} from '#ota/fleet/account/account-store.ts';
import {readCookie, sessionCookieName} from '#ota/fleet/account/session-cookie.ts';
import type {SessionStore} from '#ota/fleet/account/session-store.ts';
import {type TokenStore, tokenPrefix} from '#ota/fleet/account/token-store.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';
import {type Authenticate, leastRole} from '#ota/fleet/api/identity.ts';

/** Who a request is from: a token goes before a cookie, and a wrong token is nobody even with a right cookie. */
export const createAuthenticate =
	(options: {readonly sessions: SessionStore; readonly tokens: TokenStore; readonly isSecure: boolean}): Authenticate =>
	async ({authorization, cookie}) => {
		if (authorization !== undefined) {
			const token = /^Bearer ([\w-]{1,128})$/iu.exec(authorization)?.[1];
			const found = token?.startsWith(tokenPrefix) ? await options.tokens.find(token) : undefined;
			return (
				found && {
					kind: 'token',
					actor: {...actorOf(found.account), name: `${found.account.name} (token ${found.name})`, role: roleOf(found)},
					mustChangePassword: false,
				}
			);
		}
		const secret = readCookie(cookie, sessionCookieName(options.isSecure));
		const session = secret === undefined ? undefined : await options.sessions.find(secret);
		return (
			session && {
				kind: 'session',
				actor: {...actorOf(session.account), sessionId: session.idHash},
				mustChangePassword: session.account.must_change_password === 1,
			}
		);
	};

export const actorOf = (account: AccountRow): Actor => ({
	id: account.id,
	name: account.name,
	role: accountRoleSchema.parse(account.role),
});

/** A token never outlives what its account may do. */
const roleOf = ({account, role}: {readonly account: AccountRow; readonly role: string}): Actor['role'] =>
	leastRole(accountRoleSchema.parse(account.role), accountRoleSchema.parse(role));
