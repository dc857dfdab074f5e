import type {IncomingHttpHeaders} from 'node:http';
import {type AccountRole, accountRoles} from '#ota/contract/account-api.ts';
import type {Actor} from '#ota/fleet/api/endpoint.ts';

/** Who a request comes from, as its cookie or token proves. */
export type Identity = {
	readonly actor: Actor;
	/** By cookie: the request's origin matters. */
	readonly kind: 'session' | 'token';
	/** Nothing but changing the password is allowed yet. */
	readonly mustChangePassword: boolean;
};

/** What the API, `/live` and the streams ask about a request. Undefined = nobody. */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Identity | undefined>;

export const anonymous: Actor = {id: 'anonymous', name: 'anonymous', role: 'viewer'};

export const mayDo = (role: AccountRole, needed: AccountRole): boolean =>
	accountRoles.indexOf(role) >= accountRoles.indexOf(needed);

/** The lesser of two roles. */
export const leastRole = (one: AccountRole, other: AccountRole): AccountRole => (mayDo(one, other) ? other : one);
